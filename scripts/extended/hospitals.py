"""Extended table 4: AUC by hospital."""

from dlre_core.extended_tables.hospitals import hospital_table, printed_hospitals
from dlre_core.foundation.csv_tables import read_table
from dlre_core.foundation.design import score_columns
from dlre_core.foundation.job_log import job_log
from dlre_core.tables.table_2_accuracy import AccuracySettings
from dlre_core.tables.typeset import write_all

with job_log(snakemake.log[0]):
    given, made, params = snakemake.input, snakemake.output, snakemake.params
    scores = read_table(given.scores, needs=score_columns())
    settings = AccuracySettings(**params.settings)
    table = hospital_table(scores, settings)
    printed = printed_hospitals(table, settings, params.simulated)
    write_all(table, printed, made.csv, made.html, made.tex)
