"""Extended table 2: calibration of the probabilities."""

from dlre_core.extended_tables.probabilities import calibration_table, printed_calibration
from dlre_core.foundation.csv_tables import read_table
from dlre_core.foundation.design import score_columns
from dlre_core.foundation.job_log import job_log
from dlre_core.tables.typeset import write_all

with job_log(snakemake.log[0]):
    given, made, params = snakemake.input, snakemake.output, snakemake.params
    scores = read_table(given.scores, needs=score_columns())
    table = calibration_table(scores, params.confidence)
    printed = printed_calibration(table, params.confidence, params.simulated)
    write_all(table, printed, made.csv, made.html, made.tex)
