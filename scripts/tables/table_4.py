"""Table 4: accuracy by combination of training hospitals, compared by a patient bootstrap."""

from dlre_core.foundation.csv_tables import read_table, write_table
from dlre_core.foundation.job_log import job_log
from dlre_core.foundation.study_terms import SCORE_COLUMNS
from dlre_core.tables.accuracy_print import printed_table_4
from dlre_core.tables.table_2_accuracy import AccuracySettings
from dlre_core.tables.table_4_hospitals import compare_combinations, table_4
from dlre_core.tables.typeset import write_all

with job_log(snakemake.log[0]):
    given, made, params = snakemake.input, snakemake.output, snakemake.params
    scores = {
        arm: read_table(path, needs=SCORE_COLUMNS) for arm, path in zip(params.hospitals, given.scores, strict=True)
    }
    settings = AccuracySettings(**params.settings)
    comparisons = compare_combinations(
        scores, replicates=params.replicates, seed=params.seed, confidence=settings.confidence
    )
    table = table_4(scores, comparisons, settings)
    printed = printed_table_4(table, params.settings, params.simulated, params.hospitals, params.replicates)
    write_table(comparisons, made.comparisons)
    write_all(table, printed, made.csv, made.html, made.tex)
