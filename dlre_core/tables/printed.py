"""Lay tables out for print: HTML and LaTeX, with the paper's columns and footnotes."""

import html
from collections.abc import Mapping, Sequence

import pandas as pd

from dlre_core.statistics import Estimate
from dlre_core.tables.accuracy import MEASURES, STAGES
from dlre_core.tables.formatting import (
    COHORT_NAMES,
    METHOD_NAMES,
    STAGE_NAMES,
    format_interval,
    round_half_up,
)

COLUMNS = (
    "n (prevalence)", "AUC", "Sensitivity (%)", "Specificity (%)", "PPV (%)", "NPV (%)", "LR+", "LR−",
)  # fmt: skip
FOOTNOTE = (
    "T, training cohort; V, validation cohort. {level} confidence intervals: AUC by {auc}, shares by "
    "{share}, likelihood ratios by {ratio}. Cut-offs: {cutoff}, chosen in the training cohort and "
    "frozen. AUCs were compared with DLRE's by the paired DeLong test: * p<0.05, ** p<0.01, *** "
    "p<0.001, not adjusted; adjusted values are in the CSV."
)
METHOD_WORDS = {
    "delong": "DeLong", "logit": "DeLong on the logit scale", "exact_binomial_n": "Clopper-Pearson",
    "clopper-pearson": "Clopper-Pearson", "wilson": "Wilson", "jeffreys": "Jeffreys",
    "simel": "Simel's log method", "published": "the published (faulty) log method",
    "youden": "highest Youden index", "sensitivity_90": "sensitivity of 90 %",
    "specificity_90": "specificity of 90 %",
    "reoptimised": "chosen again in each cohort (optimistic)",
}  # fmt: skip


def printed_rows(table: pd.DataFrame) -> list[dict[str, str]]:
    """Cells as text: heading, group, cohort letter and the paper's eight columns.

    Parameters
    ----------
    table : DataFrame
        As `dlre_core.tables.accuracy.table_2` returns it.
    """
    rows = []
    for row in table.to_dict("records"):
        cells = {
            "stage": STAGE_NAMES[row["stage"]],
            "method": METHOD_NAMES.get(row["method"], row["method"]),
            "cohort": COHORT_NAMES[row["cohort"]][0],
            "n (prevalence)": f"{row['n']} ({round_half_up(100 * row['prevalence'], 1)} %)",
            "AUC": format_interval(_estimate(row, "auc")) + row["stars"],
        }
        for name, column in zip(MEASURES, COLUMNS[2:], strict=True):
            ratio = name.endswith("ratio")
            cells[column] = format_interval(
                _estimate(row, name), digits=2 if ratio else 1, scale=1.0 if ratio else 100.0
            )
        rows.append(cells)
    return rows


def table_2_html(table: pd.DataFrame, caption: str, footnote: str) -> str:
    """Table 2 as an HTML fragment; stage questions head their rows."""
    parts = [
        '<table class="accuracy">',
        f"<caption>{html.escape(caption)}</caption>",
        "<thead><tr><th scope='col'>Method</th><th scope='col'>Cohort</th>",
        *(f"<th scope='col'>{html.escape(column)}</th>" for column in COLUMNS),
        "</tr></thead>",
    ]
    rows = printed_rows(table)
    for stage in STAGES:
        name = STAGE_NAMES[stage]
        parts.append(
            f"<tbody><tr class='stage'><th scope='rowgroup' colspan='{len(COLUMNS) + 2}'>"
            f"{html.escape(name)}</th></tr>"
        )
        for row in (row for row in rows if row["stage"] == name):
            cells = "".join(f"<td>{cell_html(row[column])}</td>" for column in COLUMNS)
            parts.append(
                f"<tr><th scope='row'>{html.escape(row['method'])}</th><td>{row['cohort']}</td>{cells}</tr>"
            )
        parts.append("</tbody>")
    parts += [
        f"<tfoot><tr><td colspan='{len(COLUMNS) + 2}'>{html.escape(footnote)}</td></tr></tfoot>",
        "</table>",
    ]
    return "\n".join(parts) + "\n"


def table_2_latex(table: pd.DataFrame, caption: str, footnote: str) -> str:
    """Table 2 as a LaTeX table (booktabs)."""
    lines = [
        r"\begin{table}", r"\caption{" + _tex(caption) + "}", r"\scriptsize",
        r"\begin{tabular}{ll" + "l" * len(COLUMNS) + "}", r"\toprule",
        " & ".join(["Method", "", *(_tex(column) for column in COLUMNS)]) + r" \\",
    ]  # fmt: skip
    rows = printed_rows(table)
    for stage in STAGES:
        name = STAGE_NAMES[stage]
        lines.append(
            r"\midrule \multicolumn{" + str(len(COLUMNS) + 2) + "}{l}{" + _tex(name) + r"} \\"
        )
        for row in (row for row in rows if row["stage"] == name):
            cells = [row["method"], row["cohort"], *(row[column] for column in COLUMNS)]
            lines.append(" & ".join(_tex(cell) for cell in cells) + r" \\")
    lines += [r"\bottomrule", r"\end{tabular}", r"\par " + _tex(footnote), r"\end{table}"]
    return "\n".join(lines) + "\n"


def table_2_footnote(settings: Mapping[str, object], notes: Sequence[str] = ()) -> str:
    """The footnote, from the settings that made the table, and a sentence a note."""
    text = FOOTNOTE.format(
        level=f"{100 * float(str(settings['confidence'])):g} %",
        auc=METHOD_WORDS[str(settings["auc_interval"])],
        share=METHOD_WORDS[str(settings["proportion_interval"])],
        ratio=METHOD_WORDS[str(settings["likelihood_ratio_interval"])],
        cutoff=METHOD_WORDS[str(settings["cutoff"])],
    )
    if settings["cutoff"] == "reoptimised":
        text = text.replace(", chosen in the training cohort and frozen", "")
    unique = sorted(
        {note for joined in notes for note in str(joined).split("; ") if note and note != "nan"}
    )
    return text + (f" Undefined or limited: {'; '.join(unique)}." if unique else "")


def cell_html(text: str) -> str:
    """A cell's text, escaped, with the interval on a line of its own as the paper prints it."""
    value, bracket, rest = text.partition(" (")
    if not bracket:
        return html.escape(text)
    interval, _, stars = rest.partition(")")
    return f'{html.escape(value + stars)} <span class="interval">({html.escape(interval)})</span>'


def _estimate(row: Mapping[str, float], name: str) -> Estimate:
    return Estimate(row[name], row[f"{name}_low"], row[f"{name}_high"])


def _tex(text: str) -> str:
    replacements = {
        "\\": r"\textbackslash{}", "%": r"\%", "&": r"\&", "_": r"\_", "#": r"\#", "$": r"\$",
        "≥": r"$\geq$", "−": "$-$", "∞": r"$\infty$", "–": "--", "<": "$<$",
    }  # fmt: skip
    return "".join(replacements.get(letter, letter) for letter in text)


def table_2_caption(simulated: bool) -> str:
    """The caption, which says so where data are simulated."""
    text = (
        "Diagnostic performance of DLRE, 2D-SWE, APRI and FIB-4 for the assessment of liver fibrosis "
        "stages in training and validation cohorts"
    )
    return text + (" (simulated data)" if simulated else "")
