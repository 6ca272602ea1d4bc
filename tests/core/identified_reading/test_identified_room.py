"""Identified pictures: squares go into roi.csv, profiles into screens.yaml, and nothing else is left anywhere."""

import io
import json
import threading

import numpy as np
import pytest
import yaml
from PIL import Image

from dlre_core.dicom.reader import ReadLimits
from dlre_core.elastography.square import Square
from dlre_core.foundation.errors import ConfigurationError, ReadingsError
from dlre_core.identified_reading.__main__ import main
from dlre_core.identified_reading.identified_room import Cohort, IdentifiedServer
from dlre_core.identified_reading.tables_by_hand import put_profile, put_square, put_squares
from dlre_core.identified_reading.unlocated_pictures import IdentifiedPictures, unlocated_files
from dlre_core.ingestion.usable_picture import IngestionSettings, usable_picture
from dlre_core.patients.other_tables import values_by_file
from dlre_core.screens.finding import BLOCK
from tests.helpers.page_client import Client
from tests.helpers.unlocated import unlocated_cohort

ENTRY = {
    "name": "One, by hand",
    "match": {"columns": 1024, "rows": 768},
    "elastogram": [100, 60, 700, 700],
    "twin": None,
    "colour_bar": [20, 100, 40, 400],
    "stiff_end": "top",
    "scale": {"low": 0, "high": 40.5, "unit": "kPa"},
}


@pytest.fixture(scope="module")
def cohort(tmp_path_factory):
    folder = tmp_path_factory.mktemp("cohort")
    return folder, unlocated_cohort(folder)


@pytest.fixture
def client(cohort):
    folder, _ = cohort
    for name in ("roi.csv", "screens.yaml"):
        (folder / name).unlink(missing_ok=True)
    files = unlocated_files(folder, "A", folder / ".dlre", ReadLimits())
    settings = IngestionSettings()
    with (
        IdentifiedPictures(files, settings.limits) as pictures,
        IdentifiedServer(files, pictures, Cohort(folder, "A", settings)) as server,
    ):
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        client = Client(server)
        client.enter()
        yield client
        server.shutdown()
        thread.join()


def everything(folder):
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def test_a_square_is_a_row_of_the_table_and_makes_the_picture_usable(cohort, client):
    folder, drawn = cohort
    before = everything(folder)
    assert client.json("GET", "/progress") == {"total": 3, "read": 0, "marks": "---", "next": 0}
    shown = np.array(Image.open(io.BytesIO(client.ask("GET", "/picture/1.png").content)))
    assert np.array_equal(shown, drawn[1].screen)
    entry = client.json("GET", "/entry/1")
    assert entry["name"] == "p1/2.dcm"
    assert (entry["square"], entry["kind"]["profile"]) == (None, None)
    box, found = drawn[1].box, entry["found"]
    # To the block of pixels in which colours are looked for.
    assert found["column"] <= box.left + BLOCK
    assert found["row"] + found["size"] >= box.bottom - BLOCK
    square = {"row": 150, "column": 260, "size": 300}
    saved = client.json("POST", "/square", {"position": 1, "square": square})
    assert saved["progress"]["marks"] == "-d-"
    assert saved["entry"]["square"] == square
    values = values_by_file(folder / "roi.csv", "roi", "A")
    assert values == {"p1/2.dcm": {"row": 150.0, "column": 260.0, "size": 300.0}}
    image = client.server.pictures.seen(1).image
    assert usable_picture([image], IngestionSettings(), Square(**square)).screen.any()
    # Of the pages nothing is left but the table.
    assert everything(folder) - before == {"roi.csv"}
    assert (folder / "roi.csv").stat().st_mode & 0o777 == 0o600
    for wrong in ({"row": 700, "column": 0, "size": 300}, {"row": 0, "column": 0, "size": 20}):
        assert client.ask("POST", "/square", {"position": 1, "square": wrong}).status == 422
    assert put_squares(folder) == {"A/p1/2.dcm": Square(**square)}


def test_a_kind_of_screen_is_described_once_and_its_pictures_are_found(cohort, client):
    folder, drawn = cohort
    (folder / "screens.yaml").write_text(
        "# mine\n- {name: other, match: {model: x}, elastogram: [0, 0, 9, 9], stiff_end: top, scale: read}\n"
    )
    sides = {name: list(vars(getattr(drawn[0], name)).values()) for name in ("elastogram", "colour_bar")}
    given = {"position": 0, "name": "S3000, by hand", **sides, "stiff_end": "top"}
    given["scale"] = {"low": 0.5, "high": 10, "unit": "m/s"}
    wrong = client.ask("POST", "/profile", given | {"elastogram": [800, 700, 1000, 760]})
    assert wrong.status == 422
    assert "does not fit" in json.loads(wrong.content)["error"]
    for change in ({"elastogram": [0, 0, 5000, 9]}, {"stiff_end": "up"}, {"elastogram": None}, {"name": ""}):
        assert client.ask("POST", "/profile", given | change).status == 422
    assert "by hand" not in (folder / "screens.yaml").read_text()
    saved = client.json("POST", "/profile", given)
    assert saved["entry"]["kind"]["profile"] == "S3000, by hand"
    text = (folder / "screens.yaml").read_text()
    assert text.startswith("# mine\n")
    other, entry = yaml.safe_load(text)
    assert (other["name"], entry["elastogram"]) == ("other", sides["elastogram"])
    assert entry["match"]["model"] == "S3000 (simulated)"
    # The next picture of the kind is claimed at once, and ingestion locates it.
    assert client.json("GET", "/entry/2")["kind"]["profile"] == "S3000, by hand"
    image = client.server.pictures.seen(2).image
    settings = IngestionSettings(scale_maximum_kpa=300.0).at(folder, "A")
    assert usable_picture([image], settings).layout.screen == "S3000, by hand"


def test_the_page_says_that_it_is_identified_and_is_guarded_as_the_reading_room(client):
    page = client.ask("GET", "/")
    assert b"IDENTIFIED" in page.content
    assert page.headers["Cache-Control"] == "no-store"
    assert client.ask("GET", "/progress", Host="evil.example").status == 403
    assert client.ask("GET", "/picture/3.png").status == 404
    assert client.ask("GET", "/answer").status == 404
    assert client.ask("GET", "/picture/0.png", Cookie=None).status == 403


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("file;row;column;size\n", "lacks the columns"),
        ("file,row\n", "column, size"),
        ('file,row,column,size\n"a', "end of data"),
    ],
)
def test_a_table_that_is_no_plain_csv_is_left_alone(tmp_path, text, word):
    (tmp_path / "roi.csv").write_text(text)
    with pytest.raises(ReadingsError, match=word):
        put_square(tmp_path, "A/1.png", Square(0, 0, 250))
    assert (tmp_path / "roi.csv").read_text() == text
    (tmp_path / "roi.csv").rename(tmp_path / "roi.xlsx")
    with pytest.raises(ReadingsError, match="workbook"):
        put_square(tmp_path, "A/1.png", Square(0, 0, 250))


def test_other_rows_and_columns_of_the_table_stay(tmp_path):
    (tmp_path / "roi.csv").write_text('Size,who,File,row,column\n250,"x, y",A/1.png,1,2\nodd\n99,z,A/2.png,3,4\n')
    (tmp_path / "roi.csv").chmod(0o640)
    put_square(tmp_path, "A/2.png", Square(5, 6, 70))
    assert (tmp_path / "roi.csv").stat().st_mode & 0o777 == 0o640
    assert (
        tmp_path / "roi.csv"
    ).read_text() == 'Size,who,File,row,column\n250,"x, y",A/1.png,1,2\nodd\n70,,A/2.png,5,6\n'
    assert put_squares(tmp_path) == {"A/1.png": Square(1, 2, 250), "A/2.png": Square(5, 6, 70)}


def test_a_profile_whose_name_is_taken_changes_nothing(tmp_path):
    put_profile(tmp_path, ENTRY)
    before = (tmp_path / "screens.yaml").read_text()
    assert yaml.safe_load(before)[0]["scale"] == ENTRY["scale"]
    with pytest.raises(ConfigurationError, match="two entries are named"):
        put_profile(tmp_path, ENTRY)
    put_profile(tmp_path, ENTRY | {"name": "two", "scale": "read", "colour_bar": None})
    assert (tmp_path / "screens.yaml").read_text().startswith(before.rstrip())
    assert len(yaml.safe_load((tmp_path / "screens.yaml").read_text())) == 2


def test_what_cannot_be_shown_is_said_in_a_sentence(cohort, tmp_path, capsys):
    folder, _ = cohort
    assert main(["B", "--folder", str(folder)]) == 2
    assert "HOSPITAL=B" in capsys.readouterr().out
    assert main(["A", "--folder", str(folder), "--private", str(tmp_path)]) == 2
    assert "make pictures" in capsys.readouterr().out
