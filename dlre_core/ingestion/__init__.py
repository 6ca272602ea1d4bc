"""One hospital's files into its store: usable pictures, blanked, and look-alikes between cohorts."""
