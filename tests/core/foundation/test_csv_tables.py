"""Tables between rules: round trips, texts that stay texts, and values that cannot be."""

import pandas as pd
import pytest

from dlre_core.foundation.csv_tables import concatenate_tables, read_table, write_table
from dlre_core.foundation.errors import StoreMismatch


def test_round_trip_keeps_codes_floats_and_missing(tmp_path):
    table = pd.DataFrame({"hospital": ["01", "NA", "B"], "lsm": [0.1 + 0.2, 1e-17, None], "stars": ["", "**", ""]})
    write_table(table, tmp_path / "t.csv")
    again = read_table(tmp_path / "t.csv", text=["stars"])
    pd.testing.assert_frame_equal(again, table)
    assert (tmp_path / "t.csv").read_bytes().count(b"\r") == 0
    assert list(tmp_path.iterdir()) == [tmp_path / "t.csv"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("patient,f4\nP1,0.5\nP2,1.5\n", "line 3: f4 = "),
        ("patient,fibrosis_stage\nP1,7\n", "fibrosis_stage = "),
        ("patient,lsm\nP1,soft\n", "lsm = 'soft'"),
        ("patient,acquisition\nP1,0\n", "acquisition = "),
    ],
)
def test_impossible_values_are_named_with_their_line(tmp_path, text, words):
    (tmp_path / "t.csv").write_text(text)
    with pytest.raises(StoreMismatch, match="run again") as caught:
        read_table(tmp_path / "t.csv")
    assert words in str(caught.value)


def test_missing_columns_are_named(tmp_path):
    write_table(pd.DataFrame({"patient": ["P1"]}), tmp_path / "t.csv")
    with pytest.raises(StoreMismatch, match="lacks the columns cohort, f4"):
        read_table(tmp_path / "t.csv", needs=("patient", "cohort", "f4"))


def test_joining_keeps_order_and_empty_parts(tmp_path):
    parts = []
    for name, rows in (("a", ["P2"]), ("b", []), ("c", ["P1"])):
        parts.append(tmp_path / f"{name}.csv")
        write_table(pd.DataFrame({"patient": rows}, dtype=object), parts[-1])
    concatenate_tables(parts, tmp_path / "all.csv")
    assert read_table(tmp_path / "all.csv")["patient"].tolist() == ["P2", "P1"]
