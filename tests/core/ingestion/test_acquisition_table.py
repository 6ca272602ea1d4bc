"""The table of stored pictures as it grows on the disk."""

import pandas as pd
import pytest

from dlre_core.ingestion.acquisition_table import ACQUISITION_COLUMNS, AcquisitionTable
from dlre_core.patients.other_tables import values_by_file


def test_rows_go_to_the_disk_and_come_back_as_pandas_would_write_them(tmp_path):
    rows = [dict.fromkeys(ACQUISITION_COLUMNS) for _ in range(3)]
    for number, row in enumerate(rows):
        row |= {
            "image_id": f"{number}",
            "scale_source": "file",
            "flags": "",
            "opacity": float("nan"),
        }
        row |= {"q_box_mean_kpa": 0.1 + number / 3, "q_box_source": 'a "b", c'}
    rows[1]["flags"] = "no_time"
    with AcquisitionTable(tmp_path / "a.csv") as table:
        for row in rows:
            table.add(row)
        table.flag(0, "also")
        table.flag(1, "also")
        assert len(table) == 3
        table.finish()
    rows[0]["flags"], rows[1]["flags"] = "also", "no_time;also"
    pd.DataFrame(rows).to_csv(tmp_path / "expected.csv", index=False, lineterminator="\n")
    assert (tmp_path / "a.csv").read_text() == (tmp_path / "expected.csv").read_text()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.csv", "expected.csv"]


def test_of_a_table_that_is_not_finished_nothing_is_left(tmp_path):
    with pytest.raises(RuntimeError), AcquisitionTable(tmp_path / "a.csv"):
        raise RuntimeError
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(("separator", "encoding"), [(",", "utf-8"), (";", "utf-8-sig"), ("\t", "gb18030")])
def test_measurements_are_read_however_they_were_saved(tmp_path, separator, encoding):
    path = tmp_path / "measurements.csv"
    mean = " 7,2" if separator == ";" else " 7.2"
    lines = [
        ("hospital", "patient_id", "file ", "q_box_mean_kpa", "note"),
        ("A", "A1", "A/王/1.dcm", mean, "x"),
        ("AB", "AB1", "AB/2.dcm", "8", ""),
    ]
    path.write_text("\n".join(separator.join(line) for line in lines), encoding=encoding)
    assert values_by_file(path, "measurements", "A") == {"王/1.dcm": {"q_box_mean_kpa": 7.2}}
