"""The clinical table, checked and pseudonymised, and its problems."""

from dlre_core.foundation.csv_tables import write_table
from dlre_core.foundation.job_log import job_log
from dlre_core.patients.clinical_table import pseudonymise, pseudonymise_problems, read_clinical
from dlre_core.patients.pseudonyms import Pseudonymiser, study_key
from dlre_core.user_tables.units import given_units

with job_log(snakemake.log[0]):
    settings = snakemake.params
    key = study_key(settings.key_file, settings.seed if settings.simulated else None)
    pseudonymiser = Pseudonymiser(key, settings.date_shift_days)
    units = given_units(settings.units, settings.get("cohort", ""))
    table = read_clinical(snakemake.input.clinical, settings.hospitals, units=units)
    write_table(pseudonymise_problems(table.problems, pseudonymiser), snakemake.output.problems)
    write_table(pseudonymise(table.patients, pseudonymiser), snakemake.output.patients)
