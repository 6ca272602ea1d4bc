"""Methods in words, from the study's configuration and counts."""

from dlre_core.foundation.csv_tables import read_table
from dlre_core.foundation.design import score_columns
from dlre_core.foundation.job_log import job_log
from dlre_core.report.methods_text import methods_paragraphs, study_counts, write_methods

with job_log(snakemake.log[0]):
    given, made, params = snakemake.input, snakemake.output, snakemake.params
    counts = study_counts(read_table(given.enrolment), read_table(given.scores, needs=score_columns()))
    write_methods(
        methods_paragraphs(params.config, counts, params.simulated),
        page=made.page,
        tex=made.tex,
        bibliography=made.bibliography,
        simulated=params.simulated,
    )
