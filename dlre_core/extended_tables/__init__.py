"""Tables beyond the paper's: counts, calibration, hospitals, stages, robustness, comparison."""
