"""Whether each patient's stiffness measurements agree by the rule of the device's maker."""

from dlre_core.extended_tables.reliability import printed_reliability
from dlre_core.foundation.csv_tables import read_table
from dlre_core.foundation.job_log import job_log
from dlre_core.foundation.study_terms import KEYS
from dlre_core.patients.reliability import reliability
from dlre_core.tables.typeset import write_all

with job_log(snakemake.log[0]):
    acquisitions = read_table(snakemake.input.acquisitions, needs=(*KEYS, "manufacturer", "q_box_mean_kpa"))
    table = reliability(acquisitions)
    made = snakemake.output
    write_all(table, printed_reliability(table, snakemake.params.simulated), made.csv, made.html, made.tex)
