"""Statistics of diagnostic studies: the patient is the unit, higher scores mean more disease."""
