"""Views of the training pictures: shifted, turned, toned and of another stiffness."""
