"""A run of the study: its configuration, its hold on the folder, the time left and how it failed."""
