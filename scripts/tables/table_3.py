"""Table 3: accuracy by number of pictures."""

from dlre_core.comparators.out_of_fold import read_out_of_fold_of_arms
from dlre_core.foundation.csv_tables import read_table
from dlre_core.foundation.design import score_columns
from dlre_core.foundation.job_log import job_log
from dlre_core.tables.accuracy_print import printed_table_3, recomputed_q_boxes
from dlre_core.tables.table_2_accuracy import AccuracySettings
from dlre_core.tables.table_3_pictures import reference_images, table_3
from dlre_core.tables.typeset import write_all

with job_log(snakemake.log[0]):
    given, made, params = snakemake.input, snakemake.output, snakemake.params
    scores = {
        images: read_table(path, needs=score_columns())
        for images, path in zip(params.images, given.scores, strict=True)
    }
    folds = read_out_of_fold_of_arms(scores, given.folds, params.folds)
    table = table_3(scores, AccuracySettings(**params.settings), folds)
    recomputed = recomputed_q_boxes(read_table(given.acquisitions), scores[max(scores)])
    reference = reference_images(list(scores))
    printed = printed_table_3(table, params.settings, params.simulated, reference, recomputed)
    write_all(table, printed, made.csv, made.html, made.tex)
