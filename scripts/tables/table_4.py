"""Table 4: accuracy by combination of training hospitals."""

from dlre_core.comparators.out_of_fold import read_out_of_fold_of_arms
from dlre_core.foundation.csv_tables import read_table, write_table
from dlre_core.foundation.design import score_columns
from dlre_core.foundation.job_log import job_log
from dlre_core.tables.accuracy_print import printed_table_4
from dlre_core.tables.table_2_accuracy import AccuracySettings
from dlre_core.tables.table_4_hospitals import compare_combinations, table_4
from dlre_core.tables.typeset import write_all

with job_log(snakemake.log[0]):
    given, made, params = snakemake.input, snakemake.output, snakemake.params
    scores = {
        arm: read_table(path, needs=score_columns()) for arm, path in zip(params.hospitals, given.scores, strict=True)
    }
    settings = AccuracySettings(**params.settings)
    comparisons = compare_combinations(scores, confidence=settings.confidence)
    folds = read_out_of_fold_of_arms(scores, given.folds, params.folds)
    table = table_4(scores, comparisons, settings, folds)
    printed = printed_table_4(table, params.settings, params.simulated, params.hospitals)
    write_table(comparisons, made.comparisons)
    write_all(table, printed, made.csv, made.html, made.tex)
