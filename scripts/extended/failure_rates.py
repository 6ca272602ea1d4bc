"""Extended table 17: how often elastography fails, by body-mass index, hospital and stage."""

from dlre_core.foundation.csv_tables import read_table
from dlre_core.foundation.job_log import job_log
from dlre_core.generalisability.failure_rates import failure_rates, printed_failure_rates
from dlre_core.generalisability.intention_to_diagnose import attempted_patients
from dlre_core.tables.typeset import write_all

with job_log(snakemake.log[0]):
    given, made, params = snakemake.input, snakemake.output, snakemake.params
    attempted = attempted_patients(read_table(given.enrolment), read_table(given.patients))
    how = {"confidence": params.confidence, "interval": params.interval}
    table = failure_rates(attempted, params.bmi_limit_kg_m2, **how)
    printed = printed_failure_rates(table, params.confidence, params.simulated)
    write_all(table, printed, made.csv, made.html, made.tex)
