"""The patients of a study: the tables that users write, and who is enrolled."""
