"""Pictures from a PACS into the cohort folder: pulled by DICOMweb, or received by C-STORE."""
