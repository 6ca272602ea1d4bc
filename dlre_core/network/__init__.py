"""The convolutional network, its probabilities and where it looks."""
