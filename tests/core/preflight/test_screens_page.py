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
from dlre_core.preflight.screens_page import kinds_text, main, write_screens
from dlre_core.screen_kinds.proposed_screens import profiles_yaml, proposed_parts
from dlre_core.screen_kinds.screen_kinds import NO_COLOURS, NOT_FOUND, NOT_READ, Kind, SeenPicture, sort_folder
from dlre_core.screens.profiles import profiles_of
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
    assert first.scales == {"0 to 40 kPa (labels)": 3}
    assert found.no_pictures == 1
    assert found.unread == {Reason.EMPTY_FILE: 1}


def test_what_cannot_be_used_says_why(found):
    bmode = next(kind for kind in found.kinds if kind.arrangement == NO_COLOURS)
    assert bmode.reasons == {(Reason.NO_ELASTOGRAM, ""): 2}
    assert not bmode.needs_profile
    text = kinds_text(found)
    assert "GE Healthcare (simulated) LOGIQE9 (simulated), 960 × 720: 0 of 2 can be used" in text
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
    image = SweImage(drawn.screen, 1, 1, True, "", "", (), None, None, design.manufacturer, design.model, "")
    kind = Kind(design.manufacturer, design.model, design.columns, design.rows, NOT_FOUND)
    kind.add(SeenPicture("A/1.dcm", image, None, Reason.NO_ELASTOGRAM, "", ""))
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
    empty, _ = unfound("bar_horizontal")
    empty.examples[0].image.pixels[:] = 0
    entries = yaml.safe_load(profiles_yaml([kind, horizontal, empty]))
    assert entries[1]["stiff_end"] == "right"
    assert entries[2]["colour_bar"] is None
    # A maker may write anything into its name; two kinds of one device have two names.
    odd, _ = unfound("single_bar_left")
    odd.model = "® µ/Scan: {x}, the longest name of a device that anybody has seen"
    profiles = profiles_of(yaml.safe_load(profiles_yaml([kind, horizontal, empty, odd])))
    assert [profile.name for profile in profiles][1:3] == ["RS85 simulated 1280 x 960 2", "RS85 simulated 1280 x 960 3"]


def test_a_corrected_proposal_is_a_profile_that_reads_the_screens(tmp_path):
    """Two screens without labels: found, but nothing states the scale."""
    for number in (1, 2):
        drawn = example_screen("side_by_side", number)
        bar, screen = drawn.colour_bar, drawn.screen.copy()
        screen[:, bar.right :] = 0
        screen[: bar.top, 1300:] = 0
        dicom(tmp_path / "dicom/A" / f"{number}.dcm", screen, DESIGNS["side_by_side"], number)
    (kind,) = sort_folder(tmp_path, IngestionSettings()).kinds
    assert kind.scales == {NOT_READ: 2}
    assert kind.needs_profile
    _, proposal = write_screens(tmp_path, sort_folder(tmp_path, IngestionSettings()), tmp_path / "out")
    (tmp_path / "screens.yaml").write_text(proposal.read_text("utf-8"), "utf-8")
    (kind,) = sort_folder(tmp_path, IngestionSettings()).kinds
    assert kind.arrangement == "profile Aixplorer simulated 1440 x 1080"
    assert kind.scales == {"0 to 40 kPa (profile)": 2}
    assert kind.usable == 2
    assert not kind.needs_profile


def test_a_wrong_profile_says_where_it_does_not_fit(tmp_path, capsys, monkeypatch):
    drawn = example_screen("single_bar_left", 2)
    dicom(tmp_path / "dicom/A/1.dcm", drawn.screen, DESIGNS["single_bar_left"], 1)
    kind, _ = unfound("single_bar_left")
    text = profiles_yaml([kind])
    (entry,) = yaml.safe_load(text)
    entry["colour_bar"] = [810, 480, 826, 700]
    (tmp_path / "screens.yaml").write_text(yaml.safe_dump([entry]))
    (kind,) = sort_folder(tmp_path, IngestionSettings()).kinds
    ((reason, detail),) = kind.reasons
    assert reason is Reason.PROFILE_DISAGREES
    assert "S3000" in detail
    (tmp_path / "screens.yaml").write_text("- name: x")
    monkeypatch.chdir(tmp_path)
    assert main([str(tmp_path)]) == 2
    assert "screens.yaml" in capsys.readouterr().out


def test_the_command_says_what_to_do(folder, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    status = main([str(folder)])
    text = capsys.readouterr().out
    assert "kinds of screens" in text
    assert (tmp_path / ".dlre/screens/index.html").exists()
    assert status == int("Proposed profiles" in text)
    assert main([str(tmp_path / "nowhere")]) == 2
