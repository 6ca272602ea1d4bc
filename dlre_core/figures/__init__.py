"""Figures of the paper: one module a family; SVG and PNG."""
