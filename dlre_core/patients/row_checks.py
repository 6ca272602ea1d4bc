"""Rows of a table held against each other and against themselves."""

from collections.abc import Collection

import pandas as pd

from dlre_core.user_tables.csv_input import FLAGGED, REJECTED, Problems, RawTable
from dlre_core.user_tables.readings import Rows


def check_rows(
    patients: pd.DataFrame,
    rows: Rows,
    hospitals: Collection[str] | None,
    key: tuple[str, ...],
    problems: Problems,
) -> set[int]:
    """Lines of rows that share their key, or whose hospital has no folder; both are named."""
    rejected: set[int] = set()
    names = patients[list(key)]
    duplicate = (names.duplicated(keep=False) & names.notna().all(axis=1)).tolist()
    for row, line in enumerate(rows.lines):
        where = {"hospital": rows.hospitals[row], "patient_id": rows.patients[row]}
        if duplicate[row]:
            rejected.add(line)
            problems.add(
                line,
                REJECTED,
                "duplicate_patient" if key[-1] == "patient_id" else "duplicate_row",
                f"The same {' and '.join(key)} {'stand' if len(key) > 1 else 'stands'} in more than one row.",
                "Keep the one row that is right.",
                column=key[-1],
                **where,
            )
        if hospitals is not None and where["hospital"] and where["hospital"] not in hospitals:
            rejected.add(line)
            problems.add(
                line,
                REJECTED,
                "unknown_hospital",
                "There is no folder dicom/<hospital> for this hospital.",
                f"Use one of {', '.join(sorted(hospitals))}, or add the folder.",
                column="hospital",
                **where,
            )
    return rejected


def check_refused(raw: RawTable, rows: Rows, key: tuple[str, ...], problems: Problems) -> set[int]:
    """Lines of rows that stand there once more in a row that does not fit the header."""
    rejected: set[int] = set()
    if not raw.refused:
        return rejected
    columns = [raw.column(name) for name in key]
    for row, values in enumerate(zip(*columns, strict=True)):
        if raw.may_be_refused_too(key, values):
            rejected.add(rows.lines[row])
            problems.add(
                rows.lines[row],
                REJECTED,
                "duplicate_row",
                f"A row that was refused seems to have the same {' and '.join(key)}.",
                "Put that row right first, and keep the one of both that is right.",
                **rows.where(row, key[-1]),
            )
    return rejected


def check_consistency(patients: pd.DataFrame, lines: pd.Series, problems: Problems) -> None:
    """Name rows whose values contradict each other."""
    checks = [
        (
            ("bmi_kg_m2", "height_cm", "weight_kg"),
            "bmi_disagrees",
            lambda t: (t.bmi_kg_m2 - t.weight_kg / (t.height_cm / 100) ** 2).abs() > 1.5,
            "Body mass index does not follow from height and weight.",
            "Check that height and weight are in their own columns, in cm and kg.",
        ),
        (
            ("total_bilirubin_umol_l", "direct_bilirubin_umol_l"),
            "bilirubin_disagrees",
            lambda t: t.direct_bilirubin_umol_l > t.total_bilirubin_umol_l,
            "Direct bilirubin is above total bilirubin.",
            "Check that the columns were not swapped.",
        ),
    ]
    for names, code, test, problem, remedy in checks:
        if not set(names) <= set(patients):
            continue
        for index in patients.index[test(patients).fillna(False)]:
            problems.add(
                lines[index],
                FLAGGED,
                code,
                problem,
                remedy,
                column=names[0],
                hospital=patients.at[index, "hospital"] or "",
                patient_id=patients.at[index, "patient_id"] or "",
            )
