"""What a study does with readings: pictures that are excluded, squares that replace the found ones, what is open."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from dlre_core.dicom.reject_reasons import Reason
from dlre_core.elastography.square import Square
from dlre_core.foundation.csv_tables import concatenate_tables, read_table, write_table
from dlre_core.foundation.digests import value_digest
from dlre_core.foundation.errors import ReadingsError
from dlre_core.foundation.study_terms import BOX_WRONG, Q_BOX_COLUMNS
from dlre_core.reading.consensus import both_readers, disagree, first_looks, middle
from dlre_core.reading.readings_file import (
    CONSENSUS,
    EXCLUDE,
    FOLDER,
    REASONS,
    UNSURE,
    Answer,
    read_answers,
    readers_of,
    readings_path,
)

NONE, ONE, TWO = "none", "one", "two"
STOP, KEEP = "stop", "keep"
# Behind the sentence of `Reason.EXCLUDED_BY_READERS` where nobody decided.
NOT_DECIDED = "not decided"


@dataclass
class Decisions:
    """What readers have decided.

    Attributes
    ----------
    decided : set of str
        Image ids with a decision.
    excluded : dict of image id to reason
        Keys of `dlre_core.reading.readings_file.REASONS`.
    squares : dict of image id to (hospital, Square)
        Of pictures that are kept and whose square is another than the found one.
    box_wrong : set of str
        Image ids of pictures that are kept and whose found box is not theirs.
    open : set of str
        Image ids that were read, and about which readers are unsure or disagree.
    """

    decided: set[str] = field(default_factory=set)
    excluded: dict[str, str] = field(default_factory=dict)
    squares: dict[str, tuple[str, Square]] = field(default_factory=dict)
    box_wrong: set[str] = field(default_factory=set)
    open: set[str] = field(default_factory=set)

    def take(self, answer: Answer, square: Square | None = None) -> None:
        """Add a decision, with another ``square`` than the answer's where two readers' lie in between."""
        if answer.verdict == UNSURE:
            self.open.add(answer.image_id)
            return
        self.open.discard(answer.image_id)
        self.decided.add(answer.image_id)
        if answer.verdict == EXCLUDE:
            self.excluded[answer.image_id] = answer.reason
            return
        if answer.box_wrong:
            self.box_wrong.add(answer.image_id)
        if square is not None or answer.by_hand:
            self.squares[answer.image_id] = (answer.hospital, square or answer.square)


def decisions(cohort: str | Path, readers: str) -> Decisions:
    """The decisions in a cohort's readings.

    Parameters
    ----------
    cohort : path
    readers : {"one", "two"}
        With two, what they agree on counts, and the consensus elsewhere; of squares the one between both.

    Raises
    ------
    ReadingsError
        If a file cannot be read, or there are not as many readers.
    """
    found = Decisions()
    if readers == ONE:
        for answer in first_looks(readings_path(cohort, _only_reader(cohort))).values():
            found.take(answer)
        return found
    a, b = (first_looks(readings_path(cohort, name)) for name in both_readers(cohort))
    together = first_looks(readings_path(cohort, CONSENSUS))
    for image_id, first in a.items():
        second = b.get(image_id)
        if second is None:
            continue
        if not disagree(first, second):
            by_hand = first.by_hand or second.by_hand
            found.take(first, middle(first.square, second.square) if by_hand else None)
        elif image_id in together:
            found.take(together[image_id])
        else:
            found.open.add(image_id)
    return found


def readings_param(cohort: str | Path, settings: Mapping[str, str]) -> dict[str, Any]:
    """What a job that leaves pictures out depends on, for a rule's ``params``; empty where nobody reads.

    Parameters
    ----------
    cohort : path
    settings : mapping
        The section ``readings`` of the configuration.

    Returns
    -------
    dict
        ``cohort``, ``readers``, ``undecided`` and ``digest``, which changes when a decision does, and with no note, no
        second look and no square.
    """
    if settings["readers"] == NONE:
        return {}
    try:
        found = decisions(cohort, settings["readers"])
        content: Any = [sorted(found.decided), found.excluded, sorted(found.open), sorted(found.box_wrong)]
    except ReadingsError as error:
        # The job says so, after the pictures that are to be read were made.
        content = str(error)
    return {"cohort": str(cohort), **settings, "digest": value_digest(content)}


def squares_param(cohort: str | Path, settings: Mapping[str, str], hospital: str) -> dict[str, list[int]]:
    """Squares by hand of one hospital, by image id: row, column, size; for a rule's ``params``."""
    if settings["readers"] == NONE:
        return {}
    try:
        squares = decisions(cohort, settings["readers"]).squares
    except ReadingsError:
        return {}
    here = sorted((image_id, square) for image_id, (code, square) in squares.items() if code == hospital)
    return {image_id: [square.row, square.column, square.size] for image_id, square in here}


def answers_digest(cohort: str | Path) -> str:
    """Digest of all that readers said, for the table of their agreement; notes do not count."""
    try:
        answers = [read_answers(readings_path(cohort, name)) for name in readers_of(cohort)]
    except ReadingsError as error:
        return value_digest(str(error))
    return value_digest([[(*key, a.verdict, vars(a.square)) for key, a in sorted(each.items())] for each in answers])


def excluded_pictures(param: Mapping[str, Any], stored: Sequence[str]) -> dict[str, str]:
    """Image ids that a study leaves out, each with its reason in words.

    Parameters
    ----------
    param : mapping
        `readings_param`.
    stored : sequence of str
        Ids of all pictures of the study.

    Raises
    ------
    ReadingsError
        If pictures are not decided and ``undecided`` is ``stop``: how many, and how to go on.
    """
    if not param:
        return {}
    found = decisions(param["cohort"], param["readers"])
    excluded = {image_id: REASONS[found.excluded[image_id]] for image_id in stored if image_id in found.excluded}
    left = [image_id for image_id in stored if image_id not in found.decided]
    if left and param["undecided"] == STOP:
        raise _undecided(param, len(left), sum(image_id in found.open for image_id in left), len(stored))
    if param["undecided"] != KEEP:
        excluded |= dict.fromkeys(left, NOT_DECIDED)
    return excluded


def wrong_boxes(param: Mapping[str, Any]) -> set[str]:
    """Image ids of pictures that a study keeps although readers say that the found box is not theirs.

    Parameters
    ----------
    param : mapping
        `readings_param`.
    """
    return decisions(param["cohort"], param["readers"]).box_wrong if param else set()


def join_tables(
    given: Mapping[str, Sequence[str]],
    made: Mapping[str, str],
    excluded: Mapping[str, str],
    box_wrong: Collection[str] = frozenset(),
) -> None:
    """Join the hospitals' tables; pictures that readers excluded move from the acquisitions to the rejects.

    A picture whose box is wrong has the flag `BOX_WRONG`, and no stiffness but what the hospital measured.

    Parameters
    ----------
    given : mapping of str to sequence of path
        ``acquisitions``, ``rejects`` and ``counts`` of each hospital.
    made : mapping of str to path
        The same names, written.
    excluded : mapping of image id to words
    box_wrong : collection of image id
    """
    for name in ("acquisitions", "rejects", "counts"):
        concatenate_tables(given[name], made[name])
    if box_wrong:
        write_table(_without_box(read_table(made["acquisitions"]), box_wrong), made["acquisitions"])
    if not excluded:
        return
    rows, rejects, counts = (read_table(made[name]) for name in ("acquisitions", "rejects", "counts"))
    out = rows[rows["image_id"].isin(excluded)]
    reason = Reason.EXCLUDED_BY_READERS
    told = [f"{reason.sentence} {excluded[image_id]}." for image_id in out["image_id"]]
    added = pd.DataFrame(
        {
            "file": out["image_id"],
            "hospital": out["hospital"],
            "patient": out["patient"],
            "processing_stage": reason.processing_stage,
            "code": reason.code,
            "reason": told,
            "remedy": reason.remedy,
        }
    )
    everything = pd.concat([part for part in (rejects, added) if len(part)], ignore_index=True)
    number = counts["hospital"].map(out["hospital"].value_counts()).fillna(0).astype(int)
    write_table(rows[~rows["image_id"].isin(excluded)], made["acquisitions"])
    write_table(everything[rejects.columns], made["rejects"])
    moved = {"images_stored": counts["images_stored"] - number, "rejected": counts["rejected"] + number}
    write_table(counts.assign(**moved), made["counts"])


def _without_box(rows: pd.DataFrame, box_wrong: Collection[str]) -> pd.DataFrame:
    wrong = rows["image_id"].isin(box_wrong)
    flags = rows["flags"].mask(wrong, (rows["flags"] + ";" + BOX_WRONG).str.lstrip(";"))
    read = wrong & (rows["q_box_source"] == "recomputed")
    values = {name: rows[name].mask(read) for name in Q_BOX_COLUMNS}
    return rows.assign(flags=flags, q_box_source=rows["q_box_source"].mask(read, ""), **values)


def _only_reader(cohort: str | Path) -> str:
    found = readers_of(cohort)
    if len(found) != 1:
        remedy = "Call make read READER=name; move files that do not count elsewhere, or write readers: two."
        raise ReadingsError(f"One reader's file is needed in {Path(cohort, FOLDER)}, {len(found)} are there.", remedy)
    return found[0]


def _undecided(param: Mapping[str, Any], left: int, disputed: int, total: int) -> ReadingsError:
    unread = left - disputed
    steps = ["make read READER=name goes on where the reader stopped"] if unread else []
    if disputed and param["readers"] == TWO:
        steps.append("make read CONSENSUS=1 shows what is disputed")
    elif disputed:
        steps.append("make read READER=name, and answer the unsure ones anew")
    steps.append("or write undecided: keep or exclude in the section readings of config.yaml")
    return ReadingsError(
        f"{left} of {total} pictures are not decided: {unread} not yet read, {disputed} unsure or disputed.",
        "; ".join(steps) + ". Then run the study again.",
    )
