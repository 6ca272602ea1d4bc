"""Pull one hospital's studies from a PACS into its folder: only what is not there yet."""

import logging
from collections import Counter
from pathlib import Path

import pandas as pd

from dlre_core.dicom.file_search import FoundFile, find_files
from dlre_core.dicom.guarded_reader import GuardedReader
from dlre_core.dicom.reader import ReadLimits
from dlre_core.dicom.reject_reasons import Unusable
from dlre_core.foundation.csv_tables import write_table
from dlre_core.foundation.errors import CohortError, ServerUnavailable
from dlre_core.pacs.dicomweb import Instance, Pacs, PacsSettings, session
from dlre_core.pacs.failures import Failure, NotPulled
from dlre_core.pacs.files import (
    OURS,
    PICTURE_CLASSES,
    arrivals,
    hospital_folder,
    keep,
    picture_name,
)
from dlre_core.patients.study_list import StudyLine, read_study_list

logger = logging.getLogger(__name__)

FAILURE_COLUMNS = ["hospital", "line", "code", "pictures", "reason", "remedy"]
COUNT_COLUMNS = [
    "lines",
    "lines_complete",
    "pictures_listed",
    "already_there",
    "fetched",
    "not_fetched",
    "other_objects",
]
# So many studies in a row that the server fails: then it is down.
STUDIES_IN_A_ROW = 3


def pull_hospital(
    folder: str | Path,
    hospital: str,
    *,
    settings: PacsSettings,
    limits: ReadLimits,
    counts_csv: str | Path,
    failures_csv: str | Path,
) -> None:
    """Fetch the pictures of a hospital's lines of ``studies.csv`` that its folder does not have.

    Parameters
    ----------
    folder : path
        The cohort folder; ``dicom/<hospital>`` below it is filled.
    hospital : str
    settings : PacsSettings
    limits : ReadLimits
    counts_csv, failures_csv : path
        Written. They name a study by its line in ``studies.csv``, nobody by name, id or UID.

    Raises
    ------
    CohortError
        If the list cannot be used, or the folder cannot be written.
    ServerUnavailable
        If the PACS cannot be asked at all, or stopped answering. What came is kept.
    """
    lines = [line for line in read_study_list(folder) if line.hospital == hospital]
    try:
        with (
            arrivals(folder) as place,
            session(settings) as connection,
            GuardedReader(limits) as reader,
        ):
            pictures = hospital_folder(folder, hospital)
            job = _Pull(Pacs(settings, connection), pictures, place, reader, limits.bytes_per_file)
            job.run(lines)
    except OSError as error:
        raise CohortError(
            f"Hospital {hospital}: a picture could not be written ({error.strerror}).",
            "Free space on the disk of cohort.folder or allow writing, then run again.",
        ) from None
    write_table(pd.DataFrame([{"hospital": hospital, **job.counts()}]), counts_csv)
    rows = [
        (hospital, line, failure.code, number, failure.sentence, failure.remedy)
        for (line, failure), number in sorted(job.failures.items(), key=lambda item: item[0][0])
    ]
    write_table(pd.DataFrame(rows, columns=FAILURE_COLUMNS), failures_csv)
    logger.info("hospital %s: %s", hospital, ", ".join(f"{n} {k}" for k, n in job.counts().items()))
    for line, failure in job.failures:
        logger.warning("hospital %s, line %d of studies.csv: %s", hospital, line, failure.sentence)


class _Pull:
    """State of one hospital's pull."""

    def __init__(self, pacs: Pacs, pictures: Path, place: Path, reader: GuardedReader, bytes_per_file: int) -> None:
        self.pacs, self.pictures, self.place = pacs, pictures, place
        self.reader, self.bytes_per_file = reader, bytes_per_file
        # Pictures that did not come, by line and failure; 0 where their number is not known.
        self.failures: Counter[tuple[int, Failure]] = Counter()
        self.numbers: Counter[str] = Counter()
        self.known = self._known()

    def counts(self) -> dict[str, int]:
        """Numbers of lines and pictures."""
        return {name: self.numbers[name] for name in COUNT_COLUMNS}

    def run(self, lines: list[StudyLine]) -> None:
        """Pull line after line; give up when the server is down."""
        in_a_row = 0
        for number, line in enumerate(lines, start=1):
            before = len(self.failures)
            self.numbers["lines"] += 1
            down = self._line(line)
            self.numbers["lines_complete"] += len(self.failures) == before
            in_a_row = in_a_row + 1 if down else 0
            if in_a_row == min(STUDIES_IN_A_ROW, len(lines)):
                raise ServerUnavailable(
                    f"The PACS failed for {in_a_row} studies in a row; {number - in_a_row} of "
                    f"{len(lines)} lines were done, {self.numbers['fetched']} pictures came.",
                    "Check cohort.dicomweb.url and that it runs, then run again: it goes on from here.",
                )

    def _line(self, line: StudyLine) -> bool:
        """Pull one line; True if the server failed it."""
        try:
            if not line.sound:
                raise NotPulled(Failure.BAD_LINE)
            found = [i for study in self.pacs.studies(line) for i in self.pacs.instances(study)]
            wanted = [i for i in found if i.sop_class in PICTURE_CLASSES or not i.sop_class]
            self.numbers["other_objects"] += len(found) - len(wanted)
            self.numbers["pictures_listed"] += len(wanted)
            if not wanted:
                raise NotPulled(Failure.NO_PICTURES)
        except NotPulled as error:
            self.failures[line.line, error.failure] += 0
            return error.failure.of_the_server
        for done, instance in enumerate(wanted):
            try:
                self._picture(instance)
            except NotPulled as error:
                # Where the server fails, the rest of the study would only wait for it.
                lost = len(wanted) - done if error.failure.of_the_server else 1
                self.failures[line.line, error.failure] += lost
                self.numbers["not_fetched"] += lost
                if error.failure.of_the_server:
                    return True
        return False

    def _picture(self, instance: Instance) -> None:
        if instance.uid in self.known or (self.pictures / picture_name(instance.uid)).exists():
            self.numbers["already_there"] += 1
            return
        arrived = self.place / picture_name(instance.uid)
        try:
            self.pacs.fetch(instance, arrived, self.bytes_per_file)
            if self._uid(FoundFile(arrived.name, arrived)) != instance.uid:
                raise NotPulled(Failure.WRONG_CONTENT)
            keep(arrived, self.pictures, instance.uid)
        finally:
            # What was not kept may be large.
            arrived.unlink(missing_ok=True)
        self.numbers["fetched"] += 1

    def _known(self) -> set[str]:
        """UIDs of the pictures that were put into the folder under other names."""
        return {
            self._uid(file)
            for file in find_files(self.pictures, self.bytes_per_file)
            if file.problem is None and not OURS.fullmatch(file.name)
        }

    def _uid(self, file: FoundFile) -> str:
        try:
            header = self.reader.header(file)
        except Unusable:
            return ""
        return header.sop_instance_uid if header is not None else ""
