"""Adapter of rule clinical_table."""

from dlre_core.clinical import pseudonymise, pseudonymise_problems, read_clinical
from dlre_core.deidentify import Pseudonymiser, study_key
from dlre_core.logs import job_log
from dlre_core.tabular import write_table

with job_log(snakemake.log[0]):
    settings = snakemake.params
    key = study_key(settings.key_file, settings.seed if settings.simulated else None)
    pseudonymiser = Pseudonymiser(key, settings.date_shift_days)
    table = read_clinical(snakemake.input.clinical, settings.hospitals)
    write_table(pseudonymise_problems(table.problems, pseudonymiser), snakemake.output.problems)
    write_table(pseudonymise(table.patients, pseudonymiser), snakemake.output.patients)
