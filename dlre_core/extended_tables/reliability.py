"""How many patients' stiffness measurements are reliable, by hospital and maker, for print."""

import pandas as pd

from dlre_core.patients.reliability import device_rules
from dlre_core.tables.typeset import Block, PrintedTable, simulated_caption

HEADS = ["Hospital", "Device's rule"]
COLUMNS = [*HEADS, "Patients", "With stiffness", "Measurements", "IQR/median, kPa", "Unreliable", "Not known"]


def printed_reliability(table: pd.DataFrame, simulated: bool) -> PrintedTable:
    """Numbers of patients by hospital and rule.

    Parameters
    ----------
    table : DataFrame
        As `dlre_core.patients.reliability.reliability` returns it.
    simulated : bool
    """
    rows = [_row(*keys, part) for keys, part in table.groupby(["hospital", "maker"], sort=True)]
    used = sorted(set(table["maker"]))
    sources = [f"{maker}: {device_rules().loc[maker, 'source']}." for maker in used]
    notes = [
        "Measurements: median, and how many the rule recommends. IQR/median: median of the patients. Unreliable: "
        "IQR/median above the limit of the maker, or where it published none of the guideline (30 %). Not known: "
        "fewer than two measurements.",
        *sources,
    ]
    caption = "Reliability of the stiffness measurements"
    return PrintedTable(simulated_caption(caption, simulated), COLUMNS, [Block("", rows)], notes, heads=len(HEADS))


def _row(hospital: str, maker: str, part: pd.DataFrame) -> list[str]:
    spread = part["iqr_over_median"].median()
    return [
        str(hospital),
        str(maker),
        str(len(part)),
        str(int((part["measurements"] > 0).sum())),
        f"{part['measurements'].median():g} (of {part['measurements_recommended'].iloc[0]})",
        "" if pd.isna(spread) else f"{100 * spread:.0f} %",
        str(int(part["unreliable"].eq(1).sum())),
        str(int(part["unreliable"].isna().sum())),
    ]
