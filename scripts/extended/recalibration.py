"""Extended table 13: the network's probabilities, as they are and recalibrated, in the validation patients."""

from dlre_core.comparators.out_of_fold import read_out_of_fold
from dlre_core.foundation.csv_tables import read_table
from dlre_core.foundation.design import score_columns
from dlre_core.foundation.job_log import job_log
from dlre_core.recalibration.maps import write_recalibrations
from dlre_core.recalibration.recalibration_table import fit_recalibrations, printed_recalibration, recalibration_table
from dlre_core.tables.typeset import write_all

with job_log(snakemake.log[0]):
    given, made, params = snakemake.input, snakemake.output, snakemake.params
    scores = read_table(given.scores, needs=score_columns())
    out_of_fold = read_out_of_fold(scores, given.folds)
    fitted = fit_recalibrations(scores, out_of_fold, balanced=params.balanced)
    write_recalibrations(fitted, made.fits)
    table = recalibration_table(
        scores[scores["cohort"] == "validation"],
        fitted,
        replicates=params.replicates,
        seed=params.seed,
        confidence=params.confidence,
    )
    kind = "apparent predictions" if out_of_fold is None else "out of fold"
    printed = printed_recalibration(
        table,
        params.confidence,
        params.simulated,
        "Extended table 13. Recalibration of the network's probabilities, validation cohort",
        chosen=f"the training cohort ({kind})",
    )
    write_all(table, printed, made.csv, made.html, made.tex)
