"""Serve the trained networks with Triton and ask them for probabilities."""
