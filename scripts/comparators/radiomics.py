"""Table 2 with the texture model as one more method, and the scores behind it."""

from dlre_core.comparators.radiomics import radiomics_scores, read_features
from dlre_core.foundation.csv_tables import read_table, write_table
from dlre_core.foundation.job_log import job_log
from dlre_core.foundation.study_terms import METHODS, SCORE_COLUMNS
from dlre_core.tables.accuracy_print import printed_radiomics
from dlre_core.tables.table_2_accuracy import AccuracySettings, table_2
from dlre_core.tables.typeset import write_all

with job_log(snakemake.log[0]):
    given, made, params = snakemake.input, snakemake.output, snakemake.params
    scores = radiomics_scores(
        read_table(given.scores, needs=SCORE_COLUMNS),
        read_table(given.predictions),
        read_features(given.features),
    )
    write_table(scores, made.scores)
    settings = AccuracySettings(**params.settings)
    table = table_2(scores, settings, ("dlre", "radiomics", *METHODS[1:]))
    printed = printed_radiomics(table, params.settings, params.simulated)
    write_all(table, printed, made.csv, made.html, made.tex)
