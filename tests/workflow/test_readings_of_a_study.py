"""Readings in a study: it stops until all is decided, what is excluded counts as the paper says, and little reruns."""

import re

import pandas as pd
import pytest

from dlre_core.foundation.csv_tables import read_table
from dlre_core.patients.cohort_folder import PAPER_HOSPITALS
from dlre_core.reading.readings_file import CONSENSUS, REASONS, Readings, readings_path
from dlre_core.reading.shown_pictures import stored_pictures
from tests.helpers.reading import answer, excluded

# What the study uses of every picture; training and what comes after rest on it.
TARGETS = ("results/enrolment/enrolment.csv", "results/roi/rois.csv")
READERS = ("zanzibar", "quillfeather")
TABLES = ("store/acquisitions", "store/rejects", "store/counts", "enrolment/enrolment", "roi/rois")


@pytest.fixture
def study(finished_study, tmp_path):
    study = finished_study.copy(tmp_path / "copy")
    study.configure(readings={"readers": "two", "undecided": "stop"})
    return study


def says(one, picture, **changes):
    return one(picture.image_id, hospital=picture.hospital, **({"square": picture.found} | changes))


def tables(study):
    return {name.split("/")[1]: read_table(study.folder / f"results/{name}.csv") for name in TABLES}


def dry_run(study):
    """Jobs that would run for the targets, by rule."""
    output = study.snakemake("--dry-run", "--cores", "2", "--", *TARGETS).stdout
    counts = re.findall(r"^(\w+) +(\d+)$", output, re.MULTILINE)
    return {name: int(number) for name, number in counts if name != "total"}


def files_that_name_a_reader(study):
    names = [name.encode() for name in READERS]
    files = [path for path in study.folder.rglob("*") if path.is_file() and path.suffix not in (".h5", ".py")]
    found = [path for path in files if any(name in path.read_bytes() for name in names)]
    return [path for path in found if path.parent.name != "readings"]


def test_a_study_stops_until_its_pictures_are_decided_and_then_uses_what_was_accepted(study):
    pictures, before = stored_pictures(study.folder / "results/store", PAPER_HOSPITALS), tables(study)
    # Everything of one enrolled patient but one picture; elsewhere one square by hand.
    patient = before["enrolment"].loc[before["enrolment"]["enrolled"] == 1, "patient"].iloc[0]
    theirs = [picture for picture in pictures if picture.patient == patient]
    other = next(picture for picture in pictures if picture.hospital != theirs[0].hospital)
    unread = [picture for picture in pictures if picture.patient not in (patient, other.patient)][:3]
    square = type(other.found)(other.found.row + 5, other.found.column, other.found.size)
    cohort = study.folder / "results/simulated_cohort"
    first, second, together = (Readings(readings_path(cohort, name)) for name in (*READERS, CONSENSUS))
    for picture in pictures:
        out = says(excluded, picture)
        first.put(out if picture in theirs[1:] else says(answer, picture))
        if picture not in unread:
            # The second reader keeps what the first excludes of the patient, but for one picture.
            second.put(out if picture in theirs[1:2] else says(answer, picture))
    disputed = theirs[2:]
    stopped = study.snakemake("--cores", "2", "--", *TARGETS, check=False)
    assert stopped.returncode
    words = re.sub(r"\s+", " ", stopped.stdout)
    counted = f"{3 + len(disputed)} of {len(pictures)} pictures are not decided: 3 not yet read, {len(disputed)} unsure"
    assert counted in words
    assert "make read CONSENSUS=1" in words
    for picture in unread:
        second.put(says(answer, picture))
    for picture in disputed:
        together.put(says(excluded, picture))
    for readings in (first, second):
        readings.put(says(answer, other, square=square, by_hand=True))
    study.snakemake("--cores", "2", "--quiet", "progress", "--", *TARGETS)
    after = tables(study)
    gone = {picture.image_id for picture in theirs[1:]}
    assert set(before["acquisitions"]["image_id"]) - set(after["acquisitions"]["image_id"]) == gone
    assert list(after["rois"]["image_id"]) == list(after["acquisitions"]["image_id"])
    by_hand = after["rois"].set_index("image_id").loc[other.image_id]
    assert (by_hand["source"], by_hand["row"]) == ("hand", square.row)
    rejected = after["rejects"][after["rejects"]["code"] == "excluded_by_readers"]
    assert set(rejected["file"]) == gone
    assert rejected["reason"].str.endswith(f"{REASONS['motion']}.").all()
    counts = after["counts"]
    assert (counts["images_stored"] + counts["rejected"] + counts["ignored"] == counts["files_found"]).all()
    row = after["enrolment"].set_index("patient").loc[patient]
    assert row["all_reasons"] == "unsuccessful_elastography"
    others = [table["enrolment"][table["enrolment"]["patient"] != patient] for table in (before, after)]
    pd.testing.assert_frame_equal(*(table.reset_index(drop=True) for table in others))
    assert files_that_name_a_reader(study) == []
    # A note and a second look change nothing of it; a square changes its hospital's squares; a verdict what is used.
    first.put(says(answer, other, square=square, by_hand=True, note="seen again", seconds=9.0))
    first.put(says(excluded, pictures[0], look=2))
    assert dry_run(study) == {}
    for readings in (first, second):
        readings.put(says(answer, other))
    assert dry_run(study) == {"crop_rois": 1, "roi_store": 1}
    for readings in (first, second):
        readings.put(says(answer, other, square=square, by_hand=True))
        readings.put(says(excluded, unread[0]))
    assert dry_run(study) == {"image_store": 1, "enrolment": 1, "roi_store": 1}
