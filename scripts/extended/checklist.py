"""Reporting checklists, with links into the report."""

from dlre_core.extended_tables.checklist import checklist, printed_checklist
from dlre_core.foundation.job_log import job_log
from dlre_core.report.exhibits import report_anchors
from dlre_core.tables.typeset import write_all

with job_log(snakemake.log[0]):
    made, params = snakemake.output, snakemake.params
    table = checklist(report_anchors(params.tables, params.figures, primary=params.primary))
    printed = printed_checklist(table)
    write_all(table, printed, made.csv, made.html, made.tex)
