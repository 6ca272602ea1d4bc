"""Kinds of screens in a folder of pictures, and profiles proposed for those that are not found."""
