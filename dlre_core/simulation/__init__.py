"""A simulated multicentre 2D-SWE cohort, calibrated to the paper; always labelled as simulated."""
