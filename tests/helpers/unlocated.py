"""A cohort folder with pictures that ingestion did not locate, and ingestion's private list of them."""

import csv
from datetime import datetime
from pathlib import Path

from dlre_core.dicom.reject_reasons import Reason
from dlre_core.simulation.export import Export, Instance, Patient, make_uid, write_dicom
from dlre_core.simulation.other_screens import DrawnScreen, example_screen
from dlre_core.simulation.screen_designs import DESIGNS

DESIGN = "single_bar_left"
# Burned into the header of every picture, as on a real export.
PATIENT = Patient("A", "A0001", "M", 40, 171.0, 68.0)


def unlocated_cohort(folder: Path, number: int = 3) -> list[DrawnScreen]:
    """``dicom/A`` with so many screens of one kind, ``.dlre`` with their names, and what was drawn."""
    drawn, rows = [], []
    for n in range(1, number + 1):
        screen = example_screen(DESIGN, n)
        instance = Instance(PATIENT, datetime(2015, 3, 1, 9, 30), n, make_uid("unlocated", n))
        export = Export("plain", False, None, DESIGNS[DESIGN])
        write_dicom(folder / "dicom/A/p1" / f"{n}.dcm", [screen.screen], instance, export, screen.box, 0.18)
        reason = Reason.NO_ELASTOGRAM
        rows.append([f"label{n}", f"p1/{n}.dcm", "A0001", reason.code, reason.sentence, reason.remedy])
        drawn.append(screen)
    rows.append(["label9", "p1/9.dcm", "A0001", Reason.LITTLE_SIGNAL.code, "", ""])
    (folder / ".dlre/rejected_files").mkdir(parents=True)
    with open(folder / ".dlre/rejected_files/A.csv", "w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerows([["label", "file", "patient_id", "code", "reason", "remedy"], *rows])
    return drawn
