"""The reading room: readers look at every picture in the browser, and what the study does with their verdicts."""
