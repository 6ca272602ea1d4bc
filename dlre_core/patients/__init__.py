"""The patients of a study: their clinical table, pseudonyms, enrolment and splits."""
