"""The page of a study's plan: how many patients it needs, for someone who has no data yet."""

import math
from pathlib import Path

import pandas as pd

from dlre_core.foundation.design import question_labels
from dlre_core.report.page_templates import data_uri, environment
from dlre_core.sample_size.model_validation import CRITERIA
from dlre_core.sample_size.plan import Assumptions, PlannedQuestion
from dlre_core.tables.formatting import round_half_up
from dlre_core.tables.typeset import Block, PrintedTable

# With fewer in the smaller class the normal approximations are rough.
FEW = 20


def write_plan_page(
    path: str | Path, assumptions: Assumptions, needed: pd.DataFrame, pictures: pd.DataFrame, figure: str | Path
) -> None:
    """Answer, tables, curves and assumptions in one self-contained file.

    Parameters
    ----------
    path : path
    assumptions : Assumptions
    needed, pictures : DataFrame
        As `patients_needed` and `patients_by_pictures` return them.
    figure : path
        SVG of `dlre_core.figures.plan.plan_figure`.
    """
    page = environment().get_template("plan.html.j2")
    text = page.render(
        answers=answers(assumptions, needed),
        tables=[printed(assumptions, needed).html(), printed_pictures(assumptions, pictures).html()],
        figure=data_uri(Path(figure), "image/svg+xml"),
        caption=caption(assumptions),
        assumed=assumed(assumptions),
    )
    Path(path).write_text(text, encoding="utf-8")


def answers(assumptions: Assumptions, needed: pd.DataFrame) -> list[str]:
    """One sentence per question."""
    said = []
    for question in assumptions.questions:
        rows = needed[needed["question"] == question.name].set_index("aim")
        difference, width = rows.loc["difference"], rows.loc["width"]
        most = rows.loc[list(CRITERIA), "patients"].max()
        said.append(
            f"{_name(question)}: {difference['patients']:,} patients ({difference['cases']:,} cases) find an AUC of "
            f"{_auc(question.auc)} against {_auc(question.compared_auc)} with a power of "
            f"{_percent(assumptions.power)}; {width['patients']:,} give an interval of the AUC that is "
            f"{round_half_up(assumptions.interval_width, 2)} wide; {most:,} validate a finished model, its "
            "calibration included."
        )
    return said


def printed(assumptions: Assumptions, needed: pd.DataFrame) -> PrintedTable:
    """Patients for each aim, one block per question."""
    precision = assumptions.validation
    names = {
        "width": f"AUC: interval {round_half_up(assumptions.interval_width, 2)} wide",
        "difference": f"AUC: difference found with power {_percent(assumptions.power)}",
        **{
            key: f"Validation: {name}, interval {round_half_up(getattr(precision, key), 2)} wide"
            for key, name in CRITERIA.items()
        },
    }
    numbers = ["cases", "controls", "patients", "asked"]
    blocks = [
        Block(
            _name(question),
            [
                [names[row["aim"]], *(f"{row[number]:,}" for number in numbers)]
                for _, row in needed[needed["question"] == question.name].iterrows()
            ],
        )
        for question in assumptions.questions
    ]
    notes = [
        "Patients: with a readable biopsy and enough pictures, in the cohort in which the result is read (training "
        f"patients come on top). Asked: before exclusions, if {_percent(assumptions.enrolled_share)} are enrolled.",
        f"Where fewer than {FEW} cases or controls come out the formulas are rough: plan for {FEW} or more. For the "
        "validation of a model 100 cases and 100 controls are a common least. The AUC's interval is planned twice: the "
        "first row takes scores as normal and errs on the safe side, the validation's takes Newcombe's variance.",
    ]
    return PrintedTable("Patients needed", ["Aim", "Cases", "Controls", "Patients", "Asked"], blocks, notes)


def printed_pictures(assumptions: Assumptions, pictures: pd.DataFrame) -> PrintedTable:
    """AUC and patients by number of pictures, one block per question."""
    blocks = [
        Block(
            _name(question),
            [
                [str(row["images"]), round_half_up(row["auc"], 3), _count(row["patients"])]
                for _, row in pictures[pictures["question"] == question.name].iterrows()
            ],
        )
        for question in assumptions.questions
    ]
    notes = [
        "The mean of several pictures' scores varies less than one picture's (Spearman and Brown), with an intraclass "
        f"correlation of {round_half_up(assumptions.reliability, 2)} within cases and within controls. Patients: for "
        "the difference between both AUCs; a dash where there is none to find.",
    ]
    return PrintedTable("Pictures per patient", ["Pictures", "AUC", "Patients"], blocks, notes)


def caption(assumptions: Assumptions) -> str:
    """What the two panels show."""
    compared = "; ".join(
        f"{_name(question)}: {_auc(question.auc)} against {_auc(question.compared_auc)}"
        for question in assumptions.questions
    )
    return (
        f"Left: width of the {_percent(assumptions.confidence)} confidence interval of the AUC. Right: power of a "
        f"two-sided test at {_percent(1 - assumptions.confidence)} for the difference of two AUCs in the same "
        f"patients ({compared}). Grey: what the plan asks for."
    )


def assumed(assumptions: Assumptions) -> list[str]:
    """What all of it rests on, one sentence each."""
    shares = "; ".join(f"{_name(q)}: {_percent(q.prevalence)} cases" for q in assumptions.questions)
    return [
        f"{shares}, as in the paper unless config.yaml says otherwise.",
        f"The two scores correlate by {round_half_up(assumptions.correlation, 2)} within cases and within controls.",
        "Scores are normal in cases and in controls with the same variance; the patient is the unit, and patients of "
        "one hospital are no more alike than others.",
        "A validated model is calibrated, and treats from a probability of the prevalence on.",
    ]


def _name(question: PlannedQuestion) -> str:
    return question_labels().get(question.name, question.name)


def _auc(value: float) -> str:
    return round_half_up(value, 2)


def _percent(share: float) -> str:
    return f"{round_half_up(share, 0, 100)} %"


def _count(patients: float) -> str:
    return "–" if math.isnan(patients) else f"{patients:,.0f}"
