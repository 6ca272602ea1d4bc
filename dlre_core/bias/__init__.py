"""Statistics of what makes an AUC look better or worse than it is: the spectrum of stages and errors of the biopsy."""
