"""The reporting checklist: STARD 2015 and TRIPOD+AI."""

from dlre_core.extended_tables.checklist import checklist, printed_checklist
from dlre_core.foundation.job_log import job_log
from dlre_core.tables.typeset import write_all

with job_log(snakemake.log[0]):
    made = snakemake.output
    table = checklist()
    printed = printed_checklist(table)
    write_all(table, printed, made.csv, made.html, made.tex)
