"""Extended table 6: patients, images and events of every arm."""

from dlre_core.extended_tables.counts import events_table, printed_events
from dlre_core.foundation.csv_tables import read_table
from dlre_core.foundation.design import score_columns
from dlre_core.foundation.job_log import job_log
from dlre_core.tables.typeset import write_all

with job_log(snakemake.log[0]):
    given, made, params = snakemake.input, snakemake.output, snakemake.params
    scores = {arm: read_table(path, needs=score_columns()) for arm, path in zip(params.arms, given.scores, strict=True)}
    table = events_table(scores)
    printed = printed_events(table, params.simulated)
    write_all(table, printed, made.csv, made.html, made.tex)
