"""What is doubted of a study's pictures, as numbers: said in the run's last words and in the report."""

import pandas as pd

from dlre_core.dicom.reject_reasons import Reason
from dlre_core.ingestion.flags import OTHERS_TOO, QUALITY_UNKNOWN, SQUARE_BY_HAND, UNDATED


def picture_doubts(acquisitions: pd.DataFrame, rejects: pd.DataFrame) -> list[str]:
    """One sentence for each number, zero included.

    Parameters
    ----------
    acquisitions, rejects : DataFrame
        ``results/store/acquisitions.csv`` and ``rejects.csv``.
    """
    flags = acquisitions["flags"].fillna("").astype(str).str.split(";")
    undated, shared, by_hand, unjudged = (
        sum(name in names for names in flags) for name in (UNDATED, OTHERS_TOO, SQUARE_BY_HAND, QUALITY_UNKNOWN)
    )
    codes = rejects["code"].value_counts()

    def number(*reasons: Reason) -> int:
        return sum(int(codes.get(reason.code, 0)) for reason in reasons)

    return [
        "Pictures without a date, of which nobody knows the examination, used with a flag: "
        f"{undated} of {len(acquisitions)}.",
        "Pictures of which only a square drawn by hand is used, with the hospital's stiffness or none: "
        f"{by_hand} of {len(acquisitions)}, {unjudged} of them without colours to judge.",
        "Pictures of another examination than the clinical row's, left out: "
        f"{number(Reason.OTHER_EXAMINATION, Reason.SEVERAL_EXAMINATIONS)}.",
        f"Copies of an acquisition that counts once, left out: {number(Reason.SAME_ACQUISITION)}.",
        f"Pictures sent for another patient as well: {shared} used with a flag, "
        f"{number(Reason.TWO_PATIENTS)} left out.",
        f"Pictures left out since an anonymiser gave them one SOP Instance UID: {number(Reason.CONSTANT_UID)}.",
    ]
