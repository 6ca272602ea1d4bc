"""A cohort folder with all faults at once, for the page that ``make check-data`` prints."""

import csv
import shutil
from pathlib import Path

from tests.helpers.clean_table import DATA, clean_rows

SCALES = {"0": "0", "1": "2", "2": "3", "3": "4", "4": "6"}


def spoiled_folder(folder: Path) -> Path:
    """Write ``clinical.csv``, ``measurements.csv`` and ``roi.csv`` with one fault of every kind, and no pictures."""
    rows = [row | {"remark": ""} for row in clean_rows()]
    for hospital in sorted({row["hospital"] for row in rows}):
        (folder / "dicom" / hospital).mkdir(parents=True)
    at_b = [row for row in rows if row["hospital"] == "B"]
    for row in at_b:
        row["platelets_10e9_l"] = str(round(float(row["platelets_10e9_l"] or 200) / 10, 1))
        row["fibrosis_stage"] = SCALES[row["fibrosis_stage"]]
        row["hbeag_positive"] = {"1": "阳性", "0": "阴性"}.get(row["hbeag_positive"], "")
        year, month, day = row["serology_date"].split("-")
        row["serology_date"] = f"{int(day)}/{int(month)}/{year}"
    rows[0]["other_liver_disease"] = "maybe"
    rows[1]["viral_coinfection"] = "未查"
    rows[2]["alt_iu_l"], rows[3]["alt_iu_l"] = "1.234", "1,234"
    rows[4]["biopsy_date"], rows[5]["biopsy_date"] = "42100", "5/4/2015"
    rows[6]["age_years"], rows[7]["height_cm"] = "999", "1.70"
    rows[8]["fibrosis_stage"], rows[9]["fibrosis_stage"] = "F3-4", ""
    rows[10]["ggt_iu_l"], rows[11]["sex"] = "<5", "?!"
    rows[12]["remark"] = "x" * 11_000
    for row in rows:
        row["liver_transplantation"] = ""
    rows[13]["patient_id"] = rows[14]["patient_id"]
    lines = _csv(rows).splitlines()
    lines[16] = lines[16][:-1] + ",F2, second look"
    lines[17] = lines[17].replace(",", "", 1)
    lines[18] += '"re-read'
    lines = [line + ("," + ("ast_iu_l" if n == 0 else "999")) for n, line in enumerate(lines)]
    text = "\n".join([*lines, "," * 33, "Hospital,Patients", "A,31"]) + "\n"
    (folder / "clinical.csv").write_text(text, encoding="utf-8")
    _spoil_others(folder)
    return folder


def _csv(rows: list[dict[str, str]]) -> str:
    return "\n".join([",".join(rows[0]), *(",".join(_quoted(c) for c in r.values()) for r in rows)])


def _quoted(cell: str) -> str:
    return f'"{cell}"' if "," in cell else cell


def _spoil_others(folder: Path) -> None:
    path = folder / "measurements.csv"
    shutil.copy(DATA / "clean_measurements.csv", path)
    with open(path, encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    for row in rows:
        if row["hospital"] == "A" and row["q_box_mean_kpa"]:
            row["q_box_mean_kpa"] = f"{(float(row['q_box_mean_kpa']) / 3) ** 0.5:.2f}"
    filled = [row for row in rows if row["q_box_mean_kpa"] and row["hospital"] != "A"]
    filled[0]["q_box_mean_kpa"], filled[1]["q_box_mean_kpa"] = "999", "-1"
    rows.append(filled[2] | {"q_box_mean_kpa": "30"})
    path.write_text(_csv(rows) + "\n", encoding="utf-8")
    squares = "file,row,column,size\nA/x.dcm,10,20,250\nA/y.dcm,10.5,20,250\n"
    (folder / "roi.csv").write_text(squares)
