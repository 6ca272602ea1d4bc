"""Extended table 8: on which pictures and squares two readers agree, and each with themselves."""

from dlre_core.foundation.job_log import job_log
from dlre_core.reader_agreement.agreement_table import agreement_table, printed_agreement
from dlre_core.tables.typeset import write_all

with job_log(snakemake.log[0]):
    made, params = snakemake.output, snakemake.params
    table = agreement_table(params.cohort, snakemake.input.acquisitions, confidence=params.confidence)
    printed = printed_agreement(table, params.confidence, params.simulated)
    write_all(table, printed, made.csv, made.html, made.tex)
