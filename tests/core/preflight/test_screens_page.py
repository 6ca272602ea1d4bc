"""Kinds of screens: counted by maker, model, size and layout; the page is for this user only and shows all of it."""

import base64
import re
from collections import Counter
from datetime import datetime

import numpy as np
import pytest
import yaml

from dlre_core.dicom.reader import SweImage
from dlre_core.dicom.reject_reasons import Reason
from dlre_core.elastography.screen_layout import Rectangle
from dlre_core.ingestion.usable_picture import IngestionSettings
from dlre_core.preflight.proposed_screens import profiles_yaml, proposed_parts
from dlre_core.preflight.screen_kinds import NO_COLOURS, NOT_FOUND, Kind, SeenPicture, sort_folder
from dlre_core.preflight.screens_page import kinds_text, main, write_screens
from dlre_core.simulation.export import Export, Instance, Patient, make_uid, write_dicom
from dlre_core.simulation.foreign_screens import foreign_screen
from dlre_core.simulation.other_screens import example_screen
from dlre_core.simulation.screen_designs import DESIGNS

PATIENT = Patient("A", "A0001", "M", 40, 171.0, 68.0)
PLACES = {"stacked": 3, "single_bar_left": 2}


def dicom(path, screen, design, number, box=None):
    instance = Instance(PATIENT, datetime(2015, 3, 1, 9, 30), number, make_uid("screens", number))
    write_dicom(path, [screen], instance, Export("plain", False, None, design), box, 0.18)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Two makers' elastograms, two of another maker's B-mode pictures, and files that are none."""
    root = tmp_path_factory.mktemp("cohort")
    number = 0
    for name, many in PLACES.items():
        for seed in range(many):
            number += 1
            drawn = example_screen(name, seed)
            dicom(root / "dicom/A" / f"{number}.dcm", drawn.screen, DESIGNS[name], number, drawn.box)
    plain = foreign_screen("plain_bmode", 4)
    for _ in range(2):
        number += 1
        dicom(root / "dicom/B" / f"{number}.dcm", plain, DESIGNS["bar_blue_stiff"], number)
    (root / "dicom/B/notes.txt").write_text("no picture")
    (root / "dicom/B/empty.dcm").write_bytes(b"")
    return root


@pytest.fixture(scope="module")
def found(folder):
    return sort_folder(folder, IngestionSettings())


def test_kinds_are_makers_models_sizes_and_layouts(found):
    counted = Counter()
    for kind in found.kinds:
        counted[kind.manufacturer, kind.columns, kind.rows] += kind.number
    assert counted == {
        ("DLRE-SIM", 1440, 1080): 3,
        ("SIEMENS (simulated)", 1024, 768): 2,
        ("GE Healthcare (simulated)", 960, 720): 2,
    }
    first = found.kinds[0]
    assert first.arrangement == "B-mode below, colour bar at the right with its top end stiff"
    assert first.usable == first.number == 3
    assert first.scales == {"0 to 40 kPa": 3}
    assert found.no_pictures == 1
    assert found.unread == {Reason.EMPTY_FILE: 1}


def test_what_cannot_be_used_says_why(found):
    bmode = next(kind for kind in found.kinds if kind.arrangement == NO_COLOURS)
    assert bmode.reasons == {Reason.NO_ELASTOGRAM: 2}
    assert not bmode.needs_profile
    text = kinds_text(found)
    assert "GE Healthcare (simulated) LOGIQE9 (simulated), 960 × 720: 0 of 2 can be read" in text
    assert "2 x no_elastogram" in text
    assert "1 not read: There is nothing in the file" in text


def test_a_large_folder_is_looked_at_evenly(folder):
    few = sort_folder(folder, IngestionSettings(), most_pictures=4)
    assert few.number + few.no_pictures + sum(few.unread.values()) == 4
    assert few.left == 5
    assert "5 files were not looked at" in kinds_text(few)


def test_page_and_proposal_are_for_this_user_only(folder, found, tmp_path):
    page, profiles = write_screens(folder, found, tmp_path / "out/screens")
    for path in (page, profiles):
        assert path.stat().st_mode & 0o777 == 0o600
    assert page.parent.stat().st_mode & 0o777 == 0o700
    text = page.read_text("utf-8")
    assert "NOT DE-IDENTIFIED" in text
    assert not re.search(r"(?:src|href)=\"https?:", text)
    # Three, two and two examples; every picture is a JPEG within the file.
    sources = re.findall(r"data:image/jpeg;base64,([^\"]+)", text)
    assert len(sources) == 7
    assert all(base64.b64decode(source).startswith(b"\xff\xd8") for source in sources)


def test_a_rectangle_is_drawn_where_the_part_is(folder, found, tmp_path):
    page, _ = write_screens(folder, found, tmp_path)
    text = page.read_text("utf-8")
    for seed in range(3):
        box = example_screen("stacked", seed).box
        drawn = re.findall(r'<rect class="box" x="(\d+)" y="(\d+)" width="(\d+)" height="(\d+)"', text)
        near = [np.abs(np.array(d, int) - [box.left, box.top, box.width, box.height]).max() for d in drawn]
        assert min(near) <= 6


def unfound(name, seed=1):
    """A kind whose screens show an elastogram that nobody found."""
    design, drawn = DESIGNS[name], example_screen(name, seed)
    image = SweImage(drawn.screen, 1, 1, True, "", "", (), None, None, design.manufacturer, design.model)
    kind = Kind(design.manufacturer, design.model, design.columns, design.rows, NOT_FOUND)
    kind.add(SeenPicture("A/1.dcm", image, None, Reason.NO_ELASTOGRAM, ""))
    return kind, drawn


def overlap(first: Rectangle, second: Rectangle) -> float:
    common = first.common(second)
    shared = common.width * common.height
    return shared / (first.width * first.height + second.width * second.height - shared)


@pytest.mark.parametrize("name", ["single_bar_left", "bar_blue_stiff", "bar_horizontal", "single_bar_right"])
def test_a_proposal_is_near_picture_and_bar(name):
    kind, drawn = unfound(name)
    parts = proposed_parts(kind)
    assert overlap(parts["elastogram"], drawn.elastogram) > 0.85
    assert overlap(parts["colour_bar"], drawn.colour_bar) > 0.5


def test_a_proposal_is_yaml_with_every_field_of_a_profile():
    kind, _ = unfound("single_bar_left")
    (profile,) = yaml.safe_load(profiles_yaml([kind]))
    assert profile["match"] == {
        "manufacturer": "SIEMENS (simulated)",
        "model": "S3000 (simulated)",
        "columns": 1024,
        "rows": 768,
    }
    assert list(profile) == [
        "name",
        "match",
        "elastogram",
        "twin",
        "colour_bar",
        "stiff_end",
        "scale",
        "quality_map",
        "identity",
    ]
    assert len(profile["elastogram"]) == len(profile["colour_bar"]) == 4
    horizontal, _ = unfound("bar_horizontal")
    assert yaml.safe_load(profiles_yaml([kind, horizontal]))[1]["stiff_end"] == "right"


def test_the_command_says_what_to_do(folder, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    status = main([str(folder)])
    text = capsys.readouterr().out
    assert "kinds of screens" in text
    assert (tmp_path / ".dlre/screens/index.html").exists()
    assert status == int("Proposed profiles" in text)
    assert main([str(tmp_path / "nowhere")]) == 2
