"""Table 2: accuracy of DLRE, 2D-SWE, APRI and FIB-4."""

from dlre_core.comparators.out_of_fold import read_out_of_fold
from dlre_core.foundation.csv_tables import read_table
from dlre_core.foundation.design import score_columns
from dlre_core.foundation.job_log import job_log
from dlre_core.tables.accuracy_print import printed_table_2, recomputed_q_boxes
from dlre_core.tables.table_2_accuracy import AccuracySettings, table_2
from dlre_core.tables.typeset import write_all

with job_log(snakemake.log[0]):
    given, made, params = snakemake.input, snakemake.output, snakemake.params
    scores = read_table(given.scores, needs=score_columns())
    folds = read_out_of_fold(scores, given.folds)
    table = table_2(scores, AccuracySettings(**params.settings), out_of_fold=folds)
    recomputed = recomputed_q_boxes(read_table(given.acquisitions), scores)
    printed = printed_table_2(table, params.settings, params.simulated, recomputed)
    write_all(table, printed, made.csv, made.html, made.tex)
