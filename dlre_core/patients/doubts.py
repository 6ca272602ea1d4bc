"""What a study took for granted or took away, as numbers: said wherever its results are read."""

from dataclasses import dataclass

import pandas as pd

from dlre_core.foundation.study_terms import UNKNOWN_SCALE_SOURCE
from dlre_core.patients.enrolment import UNREADABLE
from dlre_core.user_tables.csv_input import REMOVED

WRONG_UNIT = "wrong_unit"


@dataclass(frozen=True)
class Doubts:
    """Numbers of pictures, cells, units and patients; ``scale_known`` pictures were looked at."""

    scale_unknown: int
    scale_known: int
    values_removed: int
    units_doubted: tuple[str, ...]
    patients_unread: int

    def sentences(self) -> list[str]:
        """One sentence for each number, zero included.

        Examples
        --------
        >>> for sentence in Doubts(2, 90, 0, ("platelets_10e9_l (A)",), 1).sentences():
        ...     print(sentence)
        Pictures whose colour scale is unknown, so that no stiffness is read from them: 2 of 90.
        Values removed from the tables: 0.
        Units doubted, whose values are not used: 1 (platelets_10e9_l (A)).
        Patients excluded because a cell could not be read: 1.
        """
        names = f" ({', '.join(self.units_doubted)})" if self.units_doubted else ""
        return [
            "Pictures whose colour scale is unknown, so that no stiffness is read from them: "
            f"{self.scale_unknown} of {self.scale_known}.",
            f"Values removed from the tables: {self.values_removed}.",
            f"Units doubted, whose values are not used: {len(self.units_doubted)}{names}.",
            f"Patients excluded because a cell could not be read: {self.patients_unread}.",
        ]


def doubts(
    problems: pd.DataFrame,
    other_problems: pd.DataFrame,
    enrolment: pd.DataFrame,
    scale_sources: pd.Series,
) -> Doubts:
    """Count what was assumed, removed and doubted.

    Parameters
    ----------
    problems, other_problems : DataFrame
        Problems in the clinical table and in the other tables (effect, code, column, hospital).
    enrolment : DataFrame
        As `dlre_core.patients.enrolment.enrol` returns it.
    scale_sources : Series of str
        Column ``scale_source`` of the pictures.
    """
    parts = [problems, other_problems]
    doubted = [
        f"{row['column']} ({row['hospital']})" if row["hospital"] else str(row["column"])
        for part in parts
        for row in part[part["code"] == WRONG_UNIT].fillna("").to_dict("records")
    ]
    unread = enrolment["all_reasons"].fillna("").str.split(";")
    return Doubts(
        scale_unknown=int((scale_sources == UNKNOWN_SCALE_SOURCE).sum()),
        scale_known=len(scale_sources),
        values_removed=sum(int((part["effect"] == REMOVED).sum()) for part in parts),
        units_doubted=tuple(doubted),
        patients_unread=int(sum(UNREADABLE in names for names in unread)),
    )
