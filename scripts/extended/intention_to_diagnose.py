"""Extended table 16: sensitivity and specificity if failed elastography counts."""

from dlre_core.foundation.csv_tables import read_table
from dlre_core.foundation.job_log import job_log
from dlre_core.generalisability.intention_to_diagnose import (
    attempted_patients,
    intention_to_diagnose,
    printed_intention_to_diagnose,
)
from dlre_core.tables.stored_tables import read_accuracy_table
from dlre_core.tables.table_2_accuracy import AccuracySettings
from dlre_core.tables.typeset import write_all

with job_log(snakemake.log[0]):
    given, made, params = snakemake.input, snakemake.output, snakemake.params
    settings = AccuracySettings(**params.settings)
    attempted = attempted_patients(read_table(given.enrolment), read_table(given.patients))
    table = intention_to_diagnose(read_accuracy_table(given.table), attempted, settings)
    printed = printed_intention_to_diagnose(table, settings, params.simulated)
    write_all(table, printed, made.csv, made.html, made.tex)
