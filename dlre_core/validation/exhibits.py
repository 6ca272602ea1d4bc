"""Figures and the report of external validation, one cohort or several side by side."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
from matplotlib.figure import Figure

from dlre_core.figures.extended import calibration_figure
from dlre_core.figures.figures_3_to_5_roc import figure_3
from dlre_core.foundation.csv_tables import read_table
from dlre_core.foundation.design import method_labels, question_labels, study_methods, study_questions
from dlre_core.report.page_templates import data_uri, environment
from dlre_core.serving.frozen_study import FrozenStudy
from dlre_core.statistics.estimates import Estimate
from dlre_core.tables.accuracy_print import estimate
from dlre_core.tables.formatting import format_interval, round_half_up
from dlre_core.tables.table_2_accuracy import AccuracySettings
from dlre_core.tables.typeset import Block, PrintedTable, simulated_caption
from dlre_core.validation.cohorts import VALIDATION


@dataclass(frozen=True)
class ExternalCohort:
    """Files of one external cohort, as the rules made them."""

    table: Path
    printed: Path
    roc: Path
    calibration: Path
    calibration_table: Path
    calibration_csv: Path
    recalibration: Path
    recalibration_csv: Path
    enrolment: Path
    counts: Path


def external_roc_figure(
    scores: pd.DataFrame,
    table: pd.DataFrame,
    name: str,
    settings: AccuracySettings,
    *,
    simulated: bool,
) -> Figure:
    """ROC curves of all methods in an external cohort, with the frozen cut-offs marked."""
    return figure_3(
        scores,
        table,
        simulated=simulated,
        confidence=settings.confidence,
        interval=settings.auc_interval,
        cohorts={VALIDATION: name},
    )


def external_calibration_figure(
    scores: pd.DataFrame, table: pd.DataFrame, name: str, *, simulated: bool, confidence: float
) -> Figure:
    """Calibration of the frozen networks in an external cohort."""
    return calibration_figure(scores, table, simulated=simulated, confidence=confidence, cohorts={VALIDATION: name})


def side_by_side(tables: Mapping[str, pd.DataFrame], study: FrozenStudy, confidence: float) -> PrintedTable:
    """AUCs in the study's own validation cohort and in every external one.

    Parameters
    ----------
    tables : mapping of cohort to DataFrame
        From `dlre_core.validation.cohorts.external_table`.
    study : FrozenStudy
    confidence : float
    """
    blocks = []
    for stage in study_questions():
        own = [format_interval(Estimate(*study.own_validation[method][stage])) for method in study_methods()]
        n, prevalence = study.own_patients[stage]
        rows = [["The study's own", str(n), _percent(prevalence), *own]]
        for name, table in tables.items():
            part = table[table["stage"] == stage].set_index("method")
            found = [format_interval(estimate(part.loc[m], "auc")) + part.loc[m, "stars"] for m in study_methods()]
            n, prevalence = part.loc["dlre", ["n", "prevalence"]]
            rows.append([name, str(n), _percent(prevalence), *found])
        blocks.append(Block(question_labels()[stage], rows))
    names = [method_labels()[method] for method in study_methods()]
    return PrintedTable(
        simulated_caption("AUC by cohort, networks frozen", study.simulated),
        ("Validation cohort", "n", "Prevalence", *names),
        blocks,
        [
            f"{100 * confidence:g} % confidence intervals. External cohorts: * p<0.05, ** p<0.01, *** p<0.001 "
            "against DLRE in the same patients (paired DeLong test)."
        ],
    )


def _percent(share: float) -> str:
    return f"{round_half_up(share, 1, 100)} %"


def write_validation_report(
    path: str | Path,
    cohorts: Mapping[str, ExternalCohort],
    study: FrozenStudy,
    printed: PrintedTable,
) -> None:
    """One self-contained page: all cohorts side by side, then a section for each.

    Parameters
    ----------
    path : path
    cohorts : mapping of name to ExternalCohort
    study : FrozenStudy
    printed : PrintedTable
        From `side_by_side`.
    """
    sections = []
    for name, files in cohorts.items():
        enrolment = read_table(files.enrolment)
        counts = read_table(files.counts).drop(columns="hospital").sum()
        sections.append(
            {
                "name": name,
                "eligible": len(enrolment),
                "enrolled": int(enrolment["enrolled"].sum()),
                "hospitals": enrolment["hospital"].nunique(),
                "counts": counts.to_dict(),
                "table": files.printed.read_text(encoding="utf-8"),
                "calibration_table": files.calibration_table.read_text(encoding="utf-8"),
                "recalibration": files.recalibration.read_text(encoding="utf-8"),
                "recalibration_csv": data_uri(files.recalibration_csv, "text/csv"),
                "csv": data_uri(files.table, "text/csv"),
                "calibration_csv": data_uri(files.calibration_csv, "text/csv"),
                "roc": data_uri(files.roc, "image/svg+xml"),
                "calibration": data_uri(files.calibration, "image/svg+xml"),
            }
        )
    page = environment().get_template("validation.html.j2")
    text = page.render(study=study, sections=sections, summary=printed.html())
    Path(path).write_text(text, encoding="utf-8")
