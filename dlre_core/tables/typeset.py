"""Lay a table out for print, as HTML and as LaTeX, and write all its forms."""

import html
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from dlre_core.foundation.atomic_files import written_whole
from dlre_core.foundation.csv_tables import write_table

TEX = {
    "\\": r"\textbackslash{}",
    "%": r"\%",
    "&": r"\&",
    "_": r"\_",
    "#": r"\#",
    "$": r"\$",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "{": r"\{",
    "}": r"\}",
    "≥": r"$\geq$",
    "≤": r"$\leq$",
    "−": "$-$",
    "∞": r"$\infty$",
    "–": "--",
    "<": "$<$",
    ">": "$>$",
    "±": r"$\pm$",
    "µ": r"$\mu$",
    "×": r"$\times$",
    "χ": r"$\chi$",
    "†": r"\dag{}",
    "κ": r"$\kappa$",
    "τ": r"$\tau$",
    "²": r"\textsuperscript{2}",
    "·": r"$\cdot$",
} | {raised: rf"\textsuperscript{{{plain}}}" for plain, raised in zip("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹", strict=True)}


class Linked(str):
    """A cell of links to places of the page that shows the table; on paper their texts alone.

    Examples
    --------
    >>> cell = Linked({"Table 2": "table-table_2"})
    >>> str(cell), cell_html(cell)
    ('Table 2', '<a href="#table-table_2">Table 2</a>')
    """

    links: Mapping[str, str]

    def __new__(cls, links: Mapping[str, str]) -> "Linked":
        """Of the text of every link and the anchor to which it leads."""
        cell = super().__new__(cls, ", ".join(links))
        cell.links = links
        return cell


@dataclass(frozen=True)
class Block:
    """Rows under a heading (empty: none); the first ``PrintedTable.heads`` cells name a row."""

    heading: str
    rows: Sequence[Sequence[str]]


@dataclass(frozen=True)
class PrintedTable:
    """A table as text: what a journal prints, and nothing to compute with."""

    caption: str
    columns: Sequence[str]
    blocks: Sequence[Block]
    footnotes: Sequence[str] = field(default_factory=tuple)
    heads: int = 1

    def html(self) -> str:
        """An HTML fragment."""
        width = len(self.columns)
        head = "".join(f"<th scope='col'>{html.escape(name)}</th>" for name in self.columns)
        parts = [
            '<table class="printed sortable">',
            f"<caption><span>{html.escape(self.caption)}</span></caption>",
            f"<thead><tr>{head}</tr></thead>",
        ]
        for block in self.blocks:
            parts.append("<tbody>")
            if block.heading:
                parts.append(
                    f"<tr class='stage'><th scope='rowgroup' colspan='{width}'>{html.escape(block.heading)}</th></tr>"
                )
            for row in block.rows:
                heads = "".join(f"<th scope='row'>{html.escape(cell)}</th>" for cell in row[: self.heads])
                cells = "".join(f"<td>{cell_html(cell)}</td>" for cell in row[self.heads :])
                parts.append(f"<tr>{heads}{cells}</tr>")
            parts.append("</tbody>")
        if self.footnotes:
            notes = "<br>".join(html.escape(note) for note in self.footnotes)
            parts.append(f"<tfoot><tr><td colspan='{width}'><div>{notes}</div></td></tr></tfoot>")
        return "\n".join([*parts, "</table>"]) + "\n"

    def latex(self) -> str:
        """A LaTeX table environment; needs the packages booktabs and graphicx."""
        width = len(self.columns)
        lines = [
            r"\begin{table}",
            r"\caption{" + tex(self.caption) + "}",
            r"\scriptsize",
            r"\resizebox{\linewidth}{!}{%",
            r"\begin{tabular}{" + "l" * width + "}",
            r"\toprule",
            " & ".join(tex(name) for name in self.columns) + r" \\",
        ]
        for block in self.blocks:
            lines.append(r"\midrule")
            if block.heading:
                lines.append(r"\multicolumn{" + str(width) + "}{l}{" + tex(block.heading) + r"} \\")
            lines += [" & ".join(tex(cell) for cell in row) + r" \\" for row in block.rows]
        lines += [r"\bottomrule", r"\end{tabular}}"]
        lines += [r"\par " + tex(note) for note in self.footnotes]
        return "\n".join([*lines, r"\end{table}"]) + "\n"


def write_all(
    table: pd.DataFrame,
    printed: PrintedTable,
    csv: str | Path,
    html_file: str | Path,
    tex_file: str | Path,
) -> None:
    """Write the numbers as CSV and the printed table as HTML and LaTeX, each by rename."""
    write_table(table, csv)
    for path, text in ((html_file, printed.html()), (tex_file, printed.latex())):
        with written_whole(path) as unfinished:
            unfinished.write_text(text, encoding="utf-8")


def cell_html(text: str) -> str:
    """A cell's text, escaped, with the interval on a line of its own as the paper prints it."""
    if isinstance(text, Linked):
        return ", ".join(f'<a href="#{html.escape(to)}">{html.escape(words)}</a>' for words, to in text.links.items())
    value, bracket, rest = text.partition(" (")
    if not bracket or not (" to " in rest or rest.startswith(("≥", "≤"))):
        return html.escape(text)
    interval, _, stars = rest.partition(")")
    return f'{html.escape(value + stars)} <span class="interval">({html.escape(interval)})</span>'


def tex(text: str) -> str:
    """The text with LaTeX's special characters and the tables' symbols escaped."""
    return "".join(TEX.get(letter, letter) for letter in text)


def simulated_caption(text: str, simulated: bool) -> str:
    """The caption, which says so where data are simulated."""
    return text + (" (simulated data)" if simulated else "")
