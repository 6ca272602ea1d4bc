"""How far accuracy holds: between pictures, groups of patients and hospitals, and where elastography failed."""
