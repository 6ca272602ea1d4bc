"""Table 2 with DLRE, stiffness and blood in one score as one more method, and the scores behind it."""

from dlre_core.comparators.fusion import fused_scores
from dlre_core.foundation.csv_tables import read_table, write_table
from dlre_core.foundation.design import score_columns, study_methods
from dlre_core.foundation.job_log import job_log
from dlre_core.tables.accuracy_print import printed_fusion
from dlre_core.tables.table_2_accuracy import AccuracySettings, table_2
from dlre_core.tables.typeset import write_all

with job_log(snakemake.log[0]):
    given, made, params = snakemake.input, snakemake.output, snakemake.params
    folds = [read_table(path, needs=score_columns()) for path in given.folds]
    scores = fused_scores(read_table(given.scores, needs=score_columns()), folds)
    write_table(scores, made.scores)
    settings = AccuracySettings(**params.settings)
    table = table_2(scores, settings, ("dlre_fusion", *study_methods()))
    printed = printed_fusion(table, params.settings, params.simulated)
    write_all(table, printed, made.csv, made.html, made.tex)
