"""What a study does with readings."""

import pandas as pd
import pytest

from dlre_core.elastography.square import Square
from dlre_core.foundation.csv_tables import read_table
from dlre_core.foundation.errors import ReadingsError
from dlre_core.reading.consensus import disagree, middle, overlap
from dlre_core.reading.consensus_session import consensus_session
from dlre_core.reading.readings_file import Readings, readings_path
from dlre_core.reading.study_readings import (
    answers_digest,
    decisions,
    excluded_pictures,
    join_tables,
    readings_param,
    squares_param,
    wrong_boxes,
)
from tests.helpers.reading import FOUND, answer, excluded, moved, shown

IDS = [f"image{n:04d}" for n in range(6)]
TWO = {"readers": "two", "undecided": "stop"}


def write(cohort, reader, answers):
    readings = Readings(readings_path(cohort, reader))
    for one in answers:
        readings.put(one)


def hand(image_id, square, **changes):
    return answer(image_id, square=square, by_hand=True, **changes)


def test_nobody_reads_unless_the_configuration_says_so(tmp_path):
    write(tmp_path, "ab", [excluded(IDS[0])])
    none = {"readers": "none", "undecided": "stop"}
    assert readings_param(tmp_path, none) == {}
    assert squares_param(tmp_path, none, "A") == {}
    assert excluded_pictures({}, IDS) == {}


def test_one_reader_decides(tmp_path):
    write(tmp_path, "ab", [excluded(IDS[0], "vessel"), hand(IDS[1], moved(9)), answer(IDS[2], verdict="unsure")])
    write(tmp_path, "ab", [excluded(IDS[1], look=2)])
    found = decisions(tmp_path, "one")
    assert found.excluded == {IDS[0]: "vessel"}
    assert found.squares == {IDS[1]: ("A", moved(9))}
    assert (found.decided, found.open) == ({IDS[0], IDS[1]}, {IDS[2]})


def test_two_readers_decide_where_they_agree_and_together_elsewhere(tmp_path):
    near, far = moved(10), moved(200)
    write(
        tmp_path,
        "cd",
        [
            excluded(IDS[0], "motion"),
            hand(IDS[1], near),
            answer(IDS[2]),
            hand(IDS[3], far),
            answer(IDS[4]),
            answer(IDS[5]),
        ],
    )
    write(
        tmp_path,
        "ab",
        [
            excluded(IDS[0], "vessel"),
            answer(IDS[1]),
            excluded(IDS[2]),
            answer(IDS[3]),
            answer(IDS[4], verdict="unsure"),
        ],
    )
    found = decisions(tmp_path, "two")
    # Reader 1 is the first by name.
    assert found.excluded == {IDS[0]: "vessel"}
    assert found.squares == {IDS[1]: ("A", moved(5))}
    assert (found.decided, found.open) == ({IDS[0], IDS[1]}, {IDS[2], IDS[3], IDS[4]})
    write(tmp_path, "consensus", [excluded(IDS[2], "shadow"), hand(IDS[3], far), answer(IDS[4], verdict="unsure")])
    found = decisions(tmp_path, "two")
    assert found.excluded == {IDS[0]: "vessel", IDS[2]: "shadow"}
    assert found.squares[IDS[3]] == ("A", far)
    assert found.open == {IDS[4]}
    # IDS[5] was read by one only.
    assert IDS[5] not in found.decided | found.open


def test_the_study_stops_with_how_many_are_left_and_how_to_go_on(tmp_path):
    write(tmp_path, "ab", [answer(IDS[0]), answer(IDS[1]), excluded(IDS[2])])
    write(tmp_path, "cd", [answer(IDS[0]), excluded(IDS[1]), excluded(IDS[2], "vessel")])
    with pytest.raises(
        ReadingsError, match="4 of 6 pictures are not decided: 3 not yet read, 1 unsure or disputed"
    ) as told:
        excluded_pictures(readings_param(tmp_path, TWO), IDS)
    assert "CONSENSUS=1" in str(told.value)
    assert "undecided: keep or exclude" in str(told.value)
    assert "ab" not in str(told.value).split()
    kept = excluded_pictures(readings_param(tmp_path, TWO | {"undecided": "keep"}), IDS)
    assert kept == {IDS[2]: "Motion"}
    out = excluded_pictures(readings_param(tmp_path, TWO | {"undecided": "exclude"}), IDS)
    assert out == {IDS[2]: "Motion", **dict.fromkeys([IDS[1], *IDS[3:]], "not decided")}


@pytest.mark.parametrize(
    ("names", "readers"), [([], "one"), (["a", "b"], "one"), (["a"], "two"), (["a", "b", "c"], "two")]
)
def test_another_number_of_readers_is_refused_by_the_job_only(tmp_path, names, readers):
    for name in names:
        write(tmp_path, name, [answer()])
    param = readings_param(tmp_path, {"readers": readers, "undecided": "keep"})
    with pytest.raises(ReadingsError, match="needed in") as told:
        excluded_pictures(param, IDS)
    assert told.value.remedy


def test_only_what_changes_a_decision_reruns_something(tmp_path):
    def digests():
        squares = [squares_param(tmp_path, TWO, hospital) for hospital in "AB"]
        return readings_param(tmp_path, TWO)["digest"], *squares, answers_digest(tmp_path)

    for reader in ("ab", "cd"):
        write(tmp_path, reader, [answer(IDS[0]), answer(IDS[1], hospital="B")])
    before = digests()
    write(tmp_path, "ab", [answer(IDS[0], note="seen", seconds=9.0)])
    assert digests() == before
    write(tmp_path, "ab", [answer(IDS[0], look=2)])
    assert digests()[:3] == before[:3]
    assert digests()[3] != before[3]
    for reader in ("ab", "cd"):
        write(tmp_path, reader, [hand(IDS[0], moved(1))])
    now = digests()
    assert (now[0], now[2]) == (before[0], before[2])
    assert now[1] == {IDS[0]: [FOUND.row + 1, FOUND.column, FOUND.size]}
    write(tmp_path, "ab", [excluded(IDS[1], hospital="B")])
    assert digests()[0] != now[0]


def test_excluded_pictures_move_to_the_rejects_and_the_numbers_close(tmp_path):
    columns = ["file", "hospital", "patient", "processing_stage", "code", "reason", "remedy"]
    given = {"acquisitions": [], "rejects": [], "counts": []}
    for hospital, number, rejected in (("A", 3, 1), ("B", 2, 0)):
        ids = [f"{hospital}{n}" for n in range(number)]
        tables = {
            "acquisitions": pd.DataFrame({"image_id": ids, "hospital": hospital, "patient": "01"}),
            "rejects": pd.DataFrame(
                [[f"r{hospital}", hospital, "01", "quality", "c", "s", "t"]][:rejected], columns=columns
            ),
            "counts": pd.DataFrame(
                [
                    {
                        "hospital": hospital,
                        "files_found": number + rejected,
                        "images_stored": number,
                        "rejected": rejected,
                        "ignored": 0,
                    }
                ]
            ),
        }
        for name, table in tables.items():
            table.to_csv(tmp_path / f"{hospital}_{name}.csv", index=False)
            given[name].append(tmp_path / f"{hospital}_{name}.csv")
    plain, read = ({name: tmp_path / f"{kind}_{name}.csv" for name in given} for kind in ("plain", "read"))
    join_tables(given, plain, {})
    join_tables(given, read, {"A1": "Motion", "B0": "not decided", "elsewhere": "Vessel"})
    assert list(read_table(read["acquisitions"])["image_id"]) == ["A0", "A2", "B1"]
    rejects = read_table(read["rejects"])
    assert list(rejects.columns) == columns
    assert list(rejects["file"]) == ["rA", "A1", "B0"]
    assert list(rejects["patient"]) == ["01"] * 3
    assert list(rejects["code"]) == ["c", "excluded_by_readers", "excluded_by_readers"]
    assert rejects["reason"].iloc[1] == "The readers excluded the picture in the reading room. Motion."
    counts = read_table(read["counts"])
    assert (counts["images_stored"] + counts["rejected"] + counts["ignored"] == counts["files_found"]).all()
    assert list(counts["images_stored"]) == [2, 1]
    assert [len(read_table(plain[name])) for name in given] == [5, 1, 2]


def test_a_wrong_box_is_flagged_and_only_what_was_read_there_goes(tmp_path):
    wrong = answer(IDS[0], box_wrong=True)
    for reader, answers in (("ab", [wrong, answer(IDS[1])]), ("cd", [wrong, answer(IDS[1], box_wrong=True)])):
        write(tmp_path, reader, answers)
    assert disagree(answer(), wrong)
    assert not disagree(excluded(IDS[0], box_wrong=True), excluded(IDS[0]))
    found = decisions(tmp_path, "two")
    assert (found.box_wrong, found.open) == ({IDS[0]}, {IDS[1]})
    before = readings_param(tmp_path, TWO)["digest"]
    write(tmp_path, "consensus", [answer(IDS[1], box_wrong=True)])
    param = readings_param(tmp_path, TWO)
    assert param["digest"] != before
    assert wrong_boxes(param) == {IDS[0], IDS[1]}
    assert wrong_boxes({}) == set()
    rows = pd.DataFrame(
        {"image_id": IDS[:3], "flags": ["", "no_time", ""], "q_box_source": ["given", *["recomputed"] * 2]}
    )
    rows = rows.assign(**{f"q_box_{name}": 5.0 for name in ("mean_kpa", "min_kpa", "max_kpa", "sd_kpa", "diameter_mm")})
    rows.to_csv(tmp_path / "rows.csv", index=False)
    (tmp_path / "rest.csv").write_text("hospital\nA\n")
    names = {"acquisitions": "rows", "rejects": "rest", "counts": "rest"}
    made = {name: tmp_path / f"made_{name}.csv" for name in names}
    join_tables({name: [tmp_path / f"{file}.csv"] for name, file in names.items()}, made, {}, wrong_boxes(param))
    joined = read_table(made["acquisitions"])
    assert list(joined["flags"]) == ["box_wrong", "no_time;box_wrong", ""]
    assert list(joined["q_box_source"]) == ["given", "", "recomputed"]
    assert joined["q_box_mean_kpa"].isna().tolist() == joined["q_box_sd_kpa"].isna().tolist() == [False, True, False]


def test_squares_that_hardly_overlap_are_a_disagreement():
    assert overlap(FOUND, FOUND) == 1
    assert overlap(Square(0, 0, 10), Square(10, 0, 10)) == 0
    assert overlap(Square(0, 0, 10), Square(0, 0, 20)) == 0.25
    assert not disagree(answer(), hand(IDS[0], moved(30)))
    assert disagree(answer(), hand(IDS[0], moved(60)))
    assert disagree(answer(), answer(verdict="unsure"))
    assert disagree(answer(verdict="unsure"), answer(verdict="unsure"))
    assert not disagree(excluded(IDS[0]), excluded(IDS[0], "vessel"))
    assert middle(Square(0, 10, 20), Square(3, 20, 30)) == Square(1, 15, 25)


def test_the_consensus_shows_disagreements_only_and_no_name(tmp_path):
    write(tmp_path, "ab", [answer(IDS[0]), answer(IDS[1]), hand(IDS[2], moved(99)), answer(IDS[3])])
    write(tmp_path, "zz", [answer(IDS[0]), excluded(IDS[1]), answer(IDS[2])])
    pictures = [shown(n) for n in range(6)]
    session = consensus_session(pictures, tmp_path, Readings(readings_path(tmp_path, "consensus")))
    assert [session.picture_at(n).image_id for n in range(len(session))] == [IDS[1], IDS[2]]
    others = session.entry(0)["others"]
    assert [other["verdict"] for other in others] == ["accept", "exclude"]
    assert others[1]["reason"] == "motion"
    assert session.entry(1)["others"][0]["square"] == vars(moved(99))
    assert not {"ab", "zz"} & set(str(others).replace("'", " ").split())
