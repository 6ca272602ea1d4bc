"""The report's list of files that were not used, so that somebody can do something about them."""

from typing import Any

import pandas as pd

from dlre_core.dicom.reject_reasons import COUNTED_INSTEAD

# Of one hospital and reason; the CSV has them all.
LABELS_SHOWN = 12
NOTHING_TO_DO = "Nothing to do"


def unused_files(rejects: pd.DataFrame) -> list[dict[str, Any]]:
    """One entry a reason: first what somebody has to see to, the most frequent first.

    Parameters
    ----------
    rejects : DataFrame
        ``results/store/rejects.csv``.

    Returns
    -------
    list of dict
        ``reason``, ``remedy``, ``number``, ``to_do`` (bool) and ``hospitals``: a list of ``hospital``,
        ``number``, ``labels`` of files, how many ``more`` there are, and ``patients``, the pseudonyms.
    """
    entries = []
    table = rejects.fillna("")
    # Which file counts instead stands in the CSV.
    table["reason"] = table["reason"].astype(str).str.split(COUNTED_INSTEAD, regex=False).str[0]
    for (_, reason, remedy), files in table.groupby(["code", "reason", "remedy"]):
        entries.append(
            {
                "reason": reason,
                "remedy": remedy,
                "number": len(files),
                "to_do": not str(remedy).startswith(NOTHING_TO_DO),
                "hospitals": [_hospital(name, part) for name, part in files.groupby("hospital")],
            }
        )
    return sorted(entries, key=lambda entry: (not entry["to_do"], -entry["number"]))


def _hospital(name: object, files: pd.DataFrame) -> dict[str, Any]:
    labels = list(files["file"])
    return {
        "hospital": name,
        "number": len(labels),
        "labels": labels[:LABELS_SHOWN],
        "more": max(len(labels) - LABELS_SHOWN, 0),
        "patients": sorted(set(files["patient"]) - {""}),
    }
