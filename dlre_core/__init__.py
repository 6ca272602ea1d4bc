"""Staging of liver fibrosis from two-dimensional shear-wave elastography pictures."""

__version__ = "0.1.0"
