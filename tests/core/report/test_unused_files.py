"""The report's list of unused files tells who has to do what, where."""

import pandas as pd

from dlre_core.dicom.reject_reasons import COUNTED_INSTEAD, Reason
from dlre_core.ingestion.hospital import REJECT_COLUMNS
from dlre_core.report.unused_files import LABELS_SHOWN, unused_files


def rejects(*rows: tuple[Reason, str, str, int]) -> pd.DataFrame:
    lines = [
        (
            f"{hospital}/{reason.code}{number}",
            hospital,
            patient,
            reason.processing_stage,
            reason.code,
            reason.sentence,
            reason.remedy,
        )
        for reason, hospital, patient, times in rows
        for number in range(times)
    ]
    return pd.DataFrame(lines, columns=REJECT_COLUMNS)


def test_what_is_to_do_stands_first_with_hospitals_files_and_patients():
    table = rejects(
        (Reason.SURPLUS, "A", "P1", 20),
        (Reason.CONFLICT, "B", "P2", 2),
        (Reason.NO_PATIENT, "A", "", 3),
    )
    entries = unused_files(table)
    assert [entry["reason"] for entry in entries] == [
        Reason.NO_PATIENT.sentence,
        Reason.CONFLICT.sentence,
        Reason.SURPLUS.sentence,
    ]
    assert [entry["to_do"] for entry in entries] == [True, True, False]
    assert entries[1]["hospitals"] == [
        {"hospital": "B", "number": 2, "labels": ["B/conflict0", "B/conflict1"], "more": 0, "patients": ["P2"]}
    ]
    (surplus,) = entries[2]["hospitals"]
    assert (len(surplus["labels"]), surplus["more"]) == (LABELS_SHOWN, 20 - LABELS_SHOWN)


def test_missing_patients_as_tables_read_them_are_nobody():
    table = rejects((Reason.NO_PATIENT, "A", "", 1)).assign(patient=float("nan"))
    assert unused_files(table)[0]["hospitals"][0]["patients"] == []
    assert unused_files(rejects()) == []


def test_copies_stand_together_whatever_counts_instead():
    table = rejects((Reason.SAME_ACQUISITION, "A", "P1", 2))
    table["reason"] = [f"{text}{COUNTED_INSTEAD}A/{n}." for n, text in enumerate(table["reason"])]
    (entry,) = unused_files(table)
    assert (entry["reason"], entry["number"]) == (Reason.SAME_ACQUISITION.sentence, 2)
