"""Any elastography screen: its colour bar, its scale, its elastogram and box, and profiles of kinds of screens."""
