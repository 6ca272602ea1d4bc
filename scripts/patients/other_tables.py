"""What is wrong with the measurements and the hand-drawn squares."""

from dlre_core.foundation.csv_tables import write_table
from dlre_core.foundation.job_log import job_log
from dlre_core.patients.clinical_table import pseudonymise_problems
from dlre_core.patients.other_tables import other_problems
from dlre_core.patients.pseudonyms import Pseudonymiser, study_key
from dlre_core.user_tables.units import given_units

with job_log(snakemake.log[0]):
    settings = snakemake.params
    key = study_key(settings.key_file, settings.seed if settings.simulated else None)
    pseudonymiser = Pseudonymiser(key, settings.date_shift_days)
    problems = other_problems(dict(snakemake.input.items()), settings.hospitals, given_units(settings.units))
    write_table(pseudonymise_problems(problems, pseudonymiser), snakemake.output.problems)
