"""Reporting guidelines, item by item: where the report has something for it, and what the authors must add."""

from collections.abc import Collection
from pathlib import Path

import pandas as pd

from dlre_core.tables.typeset import Block, Linked, PrintedTable

FILE = Path(__file__).parent / "data" / "checklist.csv"


def checklist(anchors: Collection[str]) -> pd.DataFrame:
    """Items in the guidelines' order.

    Parameters
    ----------
    anchors : collection of str
        Places that this study's report has (`dlre_core.report.exhibits.report_anchors`).

    Returns
    -------
    DataFrame
        guideline, item, topic (in our words), anchors (those of the item that the report has, separated by blanks) and
        authors (what they add or look at; never empty).

    References
    ----------
    Bossuyt PM, et al. BMJ 2015;351:h5527. doi:10.1136/bmj.h5527. Collins GS, et al. BMJ 2024;385:e078378.
    doi:10.1136/bmj-2023-078378. Sounderajah V, et al. Nat Med 2025;31:3283. doi:10.1038/s41591-025-03953-8. Tejani AS,
    et al. Radiol Artif Intell 2024;6:e240300. doi:10.1148/ryai.240300. Whiting PF, et al. Ann Intern Med 2011;155:529.
    doi:10.7326/0003-4819-155-8-201110180-00009.
    """
    table = pd.read_csv(FILE, dtype=str, keep_default_na=False)
    there = [" ".join(name for name in text.split() if name in anchors) for text in table["anchors"]]
    return table.assign(anchors=there)


def printed_checklist(table: pd.DataFrame) -> PrintedTable:
    """The checklist for print: a block a guideline, links into the report, and a column for the authors to sign."""
    blocks = [
        Block(
            str(guideline),
            [
                [row["item"], row["topic"], _places(row["anchors"]), row["authors"], ""]
                for row in part.to_dict("records")
            ],
        )
        for guideline, part in table.groupby("guideline", sort=False)
    ]
    notes = [
        f"The report has something for {(table['anchors'] != '').sum()} of {len(table)} items. None of them is done by "
        "that: the authors read it, add what the column says, and sign in the last column.",
        "Topics are abridged: read the guidelines (STARD 2015, BMJ 2015;351:h5527; TRIPOD+AI, BMJ 2024;385:e078378; "
        "STARD-AI, Nat Med 2025;31:3283; CLAIM, Radiol Artif Intell 2024;6:e240300; QUADAS-2, Ann Intern Med "
        "2011;155:529). QUADAS-2 is meant for reviewers of a study; here the authors see what these will ask.",
    ]
    columns = ("Item", "Topic", "In this report", "The authors add", "Checked by")
    caption = "Reporting checklists: STARD 2015, TRIPOD+AI 2024, STARD-AI 2025, CLAIM 2024 and QUADAS-2"
    return PrintedTable(caption, columns, blocks, notes)


def _places(anchors: str) -> Linked:
    return Linked({_label(name): name for name in anchors.split()})


def _label(anchor: str) -> str:
    """What a link says: ``Table 2``, ``Hospitals (figure)``, ``Quality``."""
    kind, _, name = anchor.partition("-")
    if kind not in ("table", "figure"):
        return anchor.replace("-", " ").capitalize()
    words = name.replace("_", " ").capitalize()
    return words if kind in name else f"{words} ({kind})"
