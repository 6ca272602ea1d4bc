"""Which studies to pull: ``studies.csv`` in the cohort folder, one line a study or a patient."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from dlre_core.foundation.digests import value_digest
from dlre_core.foundation.errors import ClinicalTableError, CohortError
from dlre_core.patients.table_file import open_table, table_path
from dlre_core.user_tables.csv_input import REJECTED, STOPPED, Problems

TABLE = "studies"
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
        If it is missing, is no UTF-8 CSV or workbook, lacks columns, or a line is not sure.
    """
    path = table_path(folder, TABLE)
    problems = Problems()
    remedy = f"Write a UTF-8 CSV with the columns hospital and one of {', '.join(KEYS)}."
    try:
        table = open_table(path, problems)
    except ClinicalTableError as error:
        if not path.exists():
            raise CohortError(f"There is no list of studies {path}.", remedy) from None
        raise CohortError(error.message, error.remedy) from None
    _refuse_doubtful(path, table.header, problems, remedy)
    columns = {name: table.column(name) for name in ("hospital", *KEYS) if name in table.header}
    cells = [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
    empty = dict.fromkeys(("hospital", *KEYS), "")
    lines = [
        StudyLine(number, **(empty | row)) for number, row in zip(table.lines, cells, strict=True) if any(row.values())
    ]
    wrong = [line.line for line in lines if not HOSPITAL.fullmatch(line.hospital)]
    if wrong:
        raise CohortError(
            f"{path}: no usable hospital in line {', '.join(map(str, wrong[:10]))}.",
            "Write the code of the hospital: 1 to 32 letters, digits, _ and -.",
        )
    if not lines:
        raise CohortError(f"{path} names no study.", remedy)
    return lines


def _refuse_doubtful(path: Path, header: Sequence[str], problems: Problems, remedy: str) -> None:
    """Refuse a list of which it is not sure what it asks for: a guess would ask for somebody else."""
    for row in problems.rows:
        if row["code"] == "not_utf8":
            raise CohortError(f"{path} cannot be read: it is not UTF-8.", remedy)
        if row["effect"] in (REJECTED, STOPPED) and row["code"] != "blank_row":
            raise CohortError(f"{path}, line {row['row']}: {row['problem']}", str(row["remedy"]))
    if "hospital" not in header or not set(KEYS) & set(header):
        raise CohortError(f"{path} lacks columns.", remedy)
    twice = sorted({name for name in ("hospital", *KEYS) if header.count(name) > 1})
    if twice:
        raise CohortError(f"{path} has the column {twice[0]} twice.", "Keep the one that is right.")


def listed_digest(folder: str | Path, hospital: str) -> str:
    """Digest of one hospital's lines, so that another hospital's do not pull it again."""
    return value_digest([str(line) for line in read_study_list(folder) if line.hospital == hospital])
