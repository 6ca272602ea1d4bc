"""Table 2, ROC curves and calibration of one external cohort, with frozen cut-offs."""

from dlre_core.extended_tables.probabilities import calibration_table, printed_calibration
from dlre_core.figures.style import save_figure
from dlre_core.foundation.csv_tables import read_table
from dlre_core.foundation.design import score_columns
from dlre_core.foundation.job_log import job_log
from dlre_core.recalibration.recalibration_table import printed_recalibration, recalibration_table
from dlre_core.serving.frozen_study import read_frozen_study
from dlre_core.tables.accuracy_print import printed_external_table
from dlre_core.tables.table_2_accuracy import AccuracySettings
from dlre_core.tables.typeset import write_all
from dlre_core.validation.cohorts import VALIDATION, external_table
from dlre_core.validation.exhibits import external_calibration_figure, external_roc_figure

with job_log(snakemake.log[0]):
    made, params = snakemake.output, snakemake.params
    name = params.cohort
    study = read_frozen_study(params.model)
    # The rule by which the frozen cut-offs were chosen is the study's, not this configuration's.
    chosen = params.settings | {"cutoff": study.cutoff_choice}
    settings = AccuracySettings(**chosen)
    scores = read_table(snakemake.input.scores, needs=score_columns())
    table = external_table(scores, study, settings)
    printed = printed_external_table(table, chosen, name, study.title, study.simulated)
    write_all(table, printed, made.table_csv, made.table_html, made.table_tex)
    calibration = calibration_table(scores, settings.confidence, ["dlre"], [VALIDATION])
    printed = printed_calibration(
        calibration,
        settings.confidence,
        study.simulated,
        f"Calibration of the frozen networks, {name}",
    )
    write_all(calibration, printed, made.calibration_csv, made.calibration_html, made.calibration_tex)
    recalibrated = recalibration_table(
        scores,
        study.recalibrations,
        replicates=settings.bootstrap_replicates,
        seed=settings.seed,
        confidence=settings.confidence,
    )
    printed = printed_recalibration(
        recalibrated,
        settings.confidence,
        study.simulated,
        f"Recalibrations of “{study.title}”, frozen, {name}",
        chosen=f"the training cohort of “{study.title}”",
    )
    write_all(recalibrated, printed, made.recalibration_csv, made.recalibration_html, made.recalibration_tex)
    figure = external_roc_figure(scores, table, name, settings, simulated=study.simulated)
    caption = f"ROC curves of the frozen networks and the comparators in {name}."
    save_figure(figure, caption, made.roc_svg, made.roc_png, made.roc_text)
    figure = external_calibration_figure(
        scores, calibration, name, simulated=study.simulated, confidence=settings.confidence
    )
    caption = f"Calibration of the frozen networks in {name}."
    save_figure(figure, caption, made.calibration_svg, made.calibration_png, made.calibration_text)
