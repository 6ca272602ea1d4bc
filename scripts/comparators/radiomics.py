"""Table 2 with the texture model as one more method, and the scores behind it."""

from dlre_core.comparators.out_of_fold import read_out_of_fold
from dlre_core.comparators.radiomics import radiomics_scores, read_features
from dlre_core.foundation.csv_tables import read_table, write_table
from dlre_core.foundation.design import score_columns, study_methods
from dlre_core.foundation.job_log import job_log
from dlre_core.tables.accuracy_print import printed_radiomics
from dlre_core.tables.table_2_accuracy import AccuracySettings, table_2
from dlre_core.tables.typeset import write_all

with job_log(snakemake.log[0]):
    given, made, params = snakemake.input, snakemake.output, snakemake.params
    own = read_table(given.scores, needs=score_columns())
    folds = read_out_of_fold(own, given.folds)
    scores = radiomics_scores(
        own,
        read_table(given.predictions),
        read_features(given.features, read_table(given.acquisitions, needs=("image_id", "flags"))),
    )
    write_table(scores, made.scores)
    settings = AccuracySettings(**params.settings)
    table = table_2(scores, settings, ("dlre", "radiomics", *study_methods()[1:]), out_of_fold=folds)
    printed = printed_radiomics(table, params.settings, params.simulated)
    write_all(table, printed, made.csv, made.html, made.tex)
