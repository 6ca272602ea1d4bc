"""Which studies to pull: ``studies.csv`` in the cohort folder, one line a study or a patient."""

import csv
import re
from dataclasses import dataclass
from pathlib import Path

from dlre_core.foundation.digests import value_digest
from dlre_core.foundation.errors import ClinicalTableError, CohortError
from dlre_core.patients.csv_input import Problems, open_table

NAME = "studies.csv"
KEYS = ("study_instance_uid", "patient_id", "accession_number")
# A folder's name and part of results: nothing that leads elsewhere.
HOSPITAL = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,31}")
UID = re.compile(r"[0-9]+(\.[0-9]+)*")
LONGEST = 64


@dataclass(frozen=True)
class StudyLine:
    """One line; ``line`` counts the header as 1. Empty keys are not asked for."""

    line: int
    hospital: str
    study_instance_uid: str
    patient_id: str
    accession_number: str

    @property
    def sound(self) -> bool:
        """Whether the line can be asked for: a key, a UID that is one, and no wildcard."""
        keys = (self.study_instance_uid, self.patient_id, self.accession_number)
        if not any(keys) or any(len(key) > LONGEST or re.search(r"[*?\\]", key) for key in keys):
            return False
        return not self.study_instance_uid or is_uid(self.study_instance_uid)


def is_uid(text: str) -> bool:
    """Whether a text is a DICOM UID, so that it may stand in a URL.

    Examples
    --------
    >>> is_uid("1.2.840.10008.1.1"), is_uid("1.2/../3")
    (True, False)
    """
    return len(text) <= LONGEST and UID.fullmatch(text) is not None


def read_study_list(folder: str | Path) -> list[StudyLine]:
    """Read ``studies.csv``, separated as a clinical table may be; blank lines are left out.

    Parameters
    ----------
    folder : path
        The cohort folder.

    Raises
    ------
    CohortError
        If it is missing, is no UTF-8 CSV, lacks columns, or a line has no usable hospital.
    """
    path = Path(folder) / NAME
    problems = Problems()
    remedy = f"Write a UTF-8 CSV with the columns hospital and one of {', '.join(KEYS)}."
    try:
        reader = open_table(path, problems)
        rows = [(reader.line_num, row) for row in reader]
    except (ClinicalTableError, csv.Error):
        problem = f"{path} cannot be read." if path.exists() else f"There is no list of studies {path}."
        raise CohortError(problem, remedy) from None
    # A guess would ask the PACS for somebody else.
    if any(row["code"] == "not_utf8" for row in problems.rows):
        raise CohortError(f"{path} cannot be read: it is not UTF-8.", remedy)
    header = reader.fieldnames or []
    if "hospital" not in header or not set(KEYS) & set(header):
        raise CohortError(f"{path} lacks columns.", remedy)
    lines = []
    for number, row in rows:
        cells = {key: (row.get(key) or "").strip() for key in ("hospital", *KEYS)}
        if any(cells.values()):
            lines.append(StudyLine(number, **cells))
    wrong = [line.line for line in lines if not HOSPITAL.fullmatch(line.hospital)]
    if wrong:
        raise CohortError(
            f"{path}: no usable hospital in line {', '.join(map(str, wrong[:10]))}.",
            "Write the code of the hospital: 1 to 32 letters, digits, _ and -.",
        )
    if not lines:
        raise CohortError(f"{path} names no study.", remedy)
    return lines


def listed_digest(folder: str | Path, hospital: str) -> str:
    """Digest of one hospital's lines, so that another hospital's do not pull it again."""
    return value_digest([str(line) for line in read_study_list(folder) if line.hospital == hospital])
