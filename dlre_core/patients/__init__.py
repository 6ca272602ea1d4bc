"""The cohort's patients: data contract, clinical table, pseudonyms, enrolment and splits."""
