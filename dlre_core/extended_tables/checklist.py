"""Where each item of the reporting guidelines stands: STARD 2015, TRIPOD+AI, STARD-AI 2025 and CLAIM 2024."""

from pathlib import Path

import pandas as pd

from dlre_core.tables.typeset import Block, PrintedTable

FILE = Path(__file__).parent / "data" / "checklist.csv"
STATUS = {
    "study": "In the results",
    "partly": "In part, the rest for the authors",
    "authors": "For the authors to write",
    "not applicable": "Not applicable",
}


def checklist() -> pd.DataFrame:
    """Items in the guidelines' order: guideline, item, topic (in our words), status, where.

    References
    ----------
    Bossuyt PM, et al. BMJ 2015;351:h5527. Collins GS, et al. BMJ 2024;385:e078378. Sounderajah V, et al. Nat Med
    2025;31:3283. Tejani AS, et al. Radiol Artif Intell 2024;6:e240300.
    """
    return pd.read_csv(FILE, dtype=str, keep_default_na=False)


def printed_checklist(table: pd.DataFrame) -> PrintedTable:
    """The checklist for print: a block a guideline."""
    blocks = [
        Block(
            str(guideline),
            [[row["item"], row["topic"], STATUS[row["status"]], row["where"]] for row in part.to_dict("records")],
        )
        for guideline, part in table.groupby("guideline", sort=False)
    ]
    done = int((table["status"] == "study").sum())
    partly = int((table["status"] == "partly").sum())
    notes = [
        f"{done} of {len(table)} items are answered by files of this study, {partly} in part; the others are for the "
        "authors. Topics are abridged: read the guidelines (BMJ 2015;351:h5527, BMJ 2024;385:e078378, Nat Med "
        "2025;31:3283, Radiol Artif Intell 2024;6:e240300). Of STARD-AI only what it adds to STARD 2015 is listed, "
        "under numbers of our own."
    ]
    columns = ("Item", "Topic", "Stands", "Where")
    return PrintedTable(
        "Reporting checklist: STARD 2015, TRIPOD+AI, STARD-AI 2025 and CLAIM 2024", columns, blocks, notes
    )
