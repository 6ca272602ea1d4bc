"""The reading room in headless Chromium: read by keyboard and by mouse, killed and gone on with; axe-core judges it."""

import os
import subprocess
import sys
from importlib import resources

import pytest

from dlre_core.elastography.square import Square
from dlre_core.identified_reading.tables_by_hand import put_squares
from dlre_core.reading.consensus import first_looks
from dlre_core.reading.readings_file import Readings, read_answers, readings_path
from dlre_core.reading.study_readings import decisions
from dlre_core.screens.profiles import read_profiles
from tests.helpers.browser import ActionChains, By, Keys, WebDriverWait, chromium, needs_chromium
from tests.helpers.reading import SECRET_KPA, answer, excluded, stored_study
from tests.helpers.unlocated import unlocated_cohort
from tests.workflow.study import ROOT

pytestmark = needs_chromium
WIDTHS = (1400, 900, 420)
HOSPITALS = {"A": 15, "B": 8}


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    with chromium(tmp_path_factory.mktemp("chromium"), "browser") as driver:
        driver.set_window_size(1400, 950)
        yield driver


class Room:
    """A reading room in a process of its own, as make read opens it, and the browser in it."""

    def __init__(self, browser, folder):
        self.browser, self.folder, self.process = browser, folder, None
        stored_study(folder / "store", HOSPITALS)
        for hospital in HOSPITALS:
            (folder / "dicom" / hospital).mkdir(parents=True)

    def open(self, *arguments, program="dlre_core.reading"):
        given = [*arguments, "--folder", str(self.folder)]
        given += ["--store", str(self.folder / "store")] if program == "dlre_core.reading" else []
        command = [sys.executable, "-m", program, *given]
        environment = os.environ | {"PYTHONPATH": str(ROOT)}
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)
        lines = [self.process.stdout.readline() for _ in range(2)]
        self.browser.get_log("browser")
        self.browser.get(lines[1].split()[1])
        self.wait(lambda: self.text("place"))
        return self

    def wait(self, condition):
        return WebDriverWait(self.browser, 30, 0.05).until(lambda _: condition())

    def text(self, name):
        return self.browser.find_element(By.ID, name).text

    def press(self, *keys):
        """Press keys one after another, wherever the focus is, each when the page has done with the one before."""
        for key in keys:
            ActionChains(self.browser).send_keys(key).perform()
            self.wait(lambda: self.browser.execute_script("return !page.busy"))

    def answers(self, reader="ab"):
        return read_answers(readings_path(self.folder, reader))

    def square(self):
        return self.browser.execute_script("return [page.square.row, page.square.column, page.square.size]")

    def touch(self, *places):
        """A finger that goes down at the first place of the window, over the others, and up at the last."""
        kinds = ["touchStart", *["touchMove"] * (len(places) - 1), "touchEnd"]
        for kind, place in zip(kinds, [*places, None], strict=True):
            points = [] if place is None else [{"x": place[0], "y": place[1]}]
            self.browser.execute_cdp_cmd("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    def middle(self, selector):
        """Of an element, in the window, once it is in sight."""
        script = (
            "const e = document.querySelector(arguments[0]); e.scrollIntoView({block: 'center'});"
            "const b = e.getBoundingClientRect(); return [b.x + b.width / 2, b.y + b.height / 2]"
        )
        return self.browser.execute_script(script, selector)

    def axe(self):
        """What axe-core finds wrong. It is no part of the page, whose policy refuses such scripts."""
        self.browser.execute_cdp_cmd("Page.setBypassCSP", {"enabled": True})
        self.browser.set_script_timeout(300)
        self.browser.execute_script(resources.files("axe_core_python").joinpath("axe.min.js").read_text("utf-8"))
        run = "const done = arguments[0]; axe.run(document).then((r) => done(r.violations))"
        found = self.browser.execute_async_script(run)
        self.browser.execute_cdp_cmd("Page.setBypassCSP", {"enabled": False})
        return [(v["id"], [n["html"][:120] for n in v["nodes"][:3]]) for v in found]

    def severe(self):
        return [entry for entry in self.browser.get_log("browser") if entry["level"] == "SEVERE"]

    def close(self):
        if self.process and self.process.poll() is None:
            # An interrupt is ignored where the tests themselves run in the background.
            self.process.terminate()
            self.process.wait(30)


@pytest.fixture
def room(browser, tmp_path):
    made = Room(browser, tmp_path)
    yield made
    made.close()


def test_twenty_pictures_are_read_by_keyboard_only(room):
    room.open("ab")
    keys = "a1a5q39a2a4a6a7a8aa1"
    assert len(keys) == 20
    room.press(*keys)
    verdicts = [answer.verdict for answer in room.answers().values()]
    assert verdicts == [{"a": "accept", "q": "unsure"}.get(key, "exclude") for key in keys]
    reasons = [answer.reason for answer in room.answers().values() if answer.reason]
    assert reasons[:4] == ["little_signal", "motion", "vessel", "other"]
    assert room.text("numbers") == "20 of 26"
    assert "left" in room.text("left")
    # Undo brings the picture back; the page before shows its answer.
    room.press("u")
    assert len(room.answers()) == 19
    assert room.text("place").startswith("Picture 20 of 26")
    assert room.text("verdict") == "Not read yet"
    room.press(Keys.PAGE_UP)
    assert room.text("verdict") == "Accepted"
    room.press(Keys.SPACE)
    assert room.text("place").startswith("Picture 20 of 26")
    room.press(*"aaaaaaa")
    assert "All pictures are read" in room.text("message")
    assert len(room.answers()) == 26
    assert room.severe() == []


def test_the_square_is_moved_by_keys_and_the_file_has_its_numbers(room):
    room.open("ab")
    row, column, size = room.square()
    room.press(Keys.ARROW_DOWN, Keys.ARROW_DOWN, Keys.ARROW_LEFT, "+", "+", "-")
    assert room.square() == [row + 1, column - 2, size + 2]
    ActionChains(room.browser).key_down(Keys.SHIFT).send_keys(Keys.ARROW_RIGHT).key_up(Keys.SHIFT).perform()
    assert room.square() == [row + 1, column + 8, size + 2]
    room.press("b", "n")
    # What is typed into the note is no command.
    room.press("a", "1", "u", Keys.ESCAPE)
    assert room.answers() == {}
    room.press("1")
    (stored,) = room.answers().values()
    assert (stored.square.row, stored.square.column, stored.square.size) == (row + 1, column + 8, size + 2)
    assert (stored.by_hand, stored.box_wrong, stored.note, stored.reason) == (True, True, "a1u", "little_signal")
    room.press("u", Keys.ARROW_UP, "r")
    assert room.square() == [row, column, size]
    room.press("a")
    (stored,) = room.answers().values()
    assert not stored.by_hand


@pytest.mark.parametrize("corner", [None, "se", "nw", "ne", "sw"])
def test_the_square_is_dragged_and_resized_with_the_mouse(room, corner):
    room.open("ab")
    row, column, size = room.square()
    scale = room.browser.execute_script("return one('stage').clientWidth / page.entry.width")
    target = room.browser.find_element(By.CSS_SELECTOR, f'[data-corner="{corner}"]' if corner else "#square")
    right, down = 24, 18
    ActionChains(room.browser).drag_and_drop_by_offset(target, round(right * scale), round(down * scale)).perform()
    room.press("a")
    (stored,) = room.answers().values()
    got = [stored.square.row, stored.square.column, stored.square.size]
    grown = {"se": right, "nw": -down, "ne": right, "sw": down}.get(corner, 0)
    expected = {
        None: [row + down, column + right, size],
        "se": [row, column, size + grown],
        "nw": [row - grown, column - grown, size + grown],
        "ne": [row - grown, column, size + grown],
        "sw": [row, column - grown, size + grown],
    }[corner]
    assert got == pytest.approx(expected, abs=2)
    assert stored.by_hand
    # The corner across has not moved.
    if corner:
        bottom, end = row + (corner[0] == "n") * size, column + (corner[1] == "w") * size
        assert stored.square.row + (corner[0] == "n") * stored.square.size == bottom
        assert stored.square.column + (corner[1] == "w") * stored.square.size == end


def test_a_killed_server_is_told_of_and_reading_goes_on(room):
    room.open("ab")
    room.press(*"aaa")
    room.process.kill()
    room.process.wait()
    room.press("a")
    room.wait(lambda: "does not answer" in room.text("message"))
    assert len(room.answers()) == 3
    room.open("ab")
    assert room.text("place").startswith("Picture 4 of 26")
    room.press("a")
    assert len(room.answers()) == 4


def test_two_tabs_do_not_write_over_one_another(room):
    room.open("ab")
    first, address = room.browser.current_window_handle, room.browser.current_url
    room.browser.switch_to.new_window("tab")
    room.browser.get(address)
    room.wait(lambda: room.text("place"))
    room.press("q")
    room.browser.close()
    room.browser.switch_to.window(first)
    room.press("a")
    assert "another tab" in room.text("message")
    assert room.text("verdict") == "Unsure"
    assert [each.verdict for each in room.answers().values()] == ["unsure"]


def test_contrast_changes_the_grey_and_no_colour(room):
    room.open("ab")
    script = (
        "const {data} = context.getImageData(0, 0, page.entry.width, page.entry.height); const seen = new Set();"
        "for (let i = 0; i < data.length; i += 4) seen.add([data[i], data[i + 1], data[i + 2]].join());"
        "return [...seen]"
    )
    before = {tuple(map(int, colour.split(","))) for colour in room.browser.execute_script(script)}
    room.press("v", "v", "v")
    after = {tuple(map(int, colour.split(","))) for colour in room.browser.execute_script(script)}

    def coloured(seen):
        return {colour for colour in seen if max(colour) - min(colour) >= 16}

    assert coloured(before) == coloured(after) != set()
    grey, lighter = (max(max(colour) for colour in seen - coloured(seen)) for seen in (before, after))
    assert lighter == pytest.approx(1.6 * grey, abs=1)


def test_flagged_ones_and_a_jump(room):
    room.open("ab")
    flagged = room.browser.execute_script("return page.flagged")
    assert 0 < len(flagged) < 10
    room.press("f", Keys.SPACE)
    for position in flagged:
        assert room.text("place") == f"Picture {position + 1} of 26, flagged"
        room.press("q")
    assert "All flagged pictures are read" in room.text("message")
    room.press("g", "1", "2", Keys.ENTER)
    room.wait(lambda: room.text("place").startswith("Picture 12 of 26"))


def test_two_readers_and_a_consensus_leave_nothing_open(room):
    ids = [f"{hospital}{n:015d}" for hospital, number in HOSPITALS.items() for n in range(number)]
    for reader, step in (("ab", 4), ("cd", 6)):
        readings = Readings(readings_path(room.folder, reader))
        for n, image_id in enumerate(ids):
            one = excluded if n % step == 0 else answer
            readings.put(one(image_id, hospital=image_id[0]))
    disputed = decisions(room.folder, "two").open
    assert len(disputed) == 6
    room.open("--consensus")
    assert room.text("place").endswith("of 6") or "of 6," in room.text("place")
    assert "Reader 1" in room.text("both")
    assert "ab" not in room.text("both").split()
    assert len(room.browser.find_elements(By.CSS_SELECTOR, "#others rect")) == 2
    room.press(*"5a5a5a")
    assert "All pictures are read" in room.text("message")
    found = decisions(room.folder, "two")
    assert found.open == set()
    assert found.decided == set(ids)
    assert len(first_looks(readings_path(room.folder, "consensus"))) == 6


def test_axe_finds_nothing_and_nothing_is_wider_than_the_screen(room, tmp_path):
    room.open("ab")
    room.browser.execute_script("document.querySelector('details').open = true")
    for width in WIDTHS:
        metrics = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
        room.browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
        assert room.axe() == []
        assert room.browser.execute_script("return document.documentElement.scrollWidth <= innerWidth")
        assert room.browser.save_screenshot(str(tmp_path / f"{width}.png"))
    room.browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


def test_a_finger_drags_the_square_and_a_corner_and_gives_the_verdict(room):
    room.open("ab")
    room.browser.execute_cdp_cmd("Emulation.setTouchEmulationEnabled", {"enabled": True})
    row, column, size = room.square()
    scale = room.browser.execute_script("return one('stage').clientWidth / page.entry.width")
    x, y = room.middle("#square")
    room.touch((x, y), (x + 5, y + 5), (x + 24 * scale, y + 18 * scale))
    assert room.square() == pytest.approx([row + 18, column + 24, size], abs=1)
    row, column, size = room.square()
    x, y = room.middle('[data-corner="se"]')
    room.touch((x, y), (x + 5, y + 5), (x + 12 * scale, y + 12 * scale))
    assert room.square() == pytest.approx([row, column, size + 12], abs=1)
    moved = room.square()
    room.touch(room.middle("#accept"))
    room.wait(lambda: len(room.answers()) == 1)
    room.wait(lambda: not room.browser.execute_script("return page.busy"))
    (stored,) = room.answers().values()
    assert [stored.square.row, stored.square.column, stored.square.size] == moved
    room.touch(room.middle('[data-reason="motion"]'))
    room.wait(lambda: [each.reason for each in room.answers().values()] == ["", "motion"])
    room.browser.execute_cdp_cmd("Emulation.setTouchEmulationEnabled", {"enabled": False})


def test_at_twice_the_size_everything_is_there_and_works(room, tmp_path):
    room.open("ab")
    # What a window of 1400 x 950 has left for the page at 200 %.
    metrics = {"width": 700, "height": 475, "deviceScaleFactor": 2, "mobile": False}
    room.browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    assert room.browser.execute_script("return document.documentElement.scrollWidth <= innerWidth")
    cut = (
        "return [...document.querySelectorAll('button, input, summary, p')].filter((e) => e.offsetParent"
        " && e.getBoundingClientRect().right > innerWidth + 1).map((e) => e.outerHTML.slice(0, 80))"
    )
    assert room.browser.execute_script(cut) == []
    row, column, size = room.square()
    scale = room.browser.execute_script("return one('stage').clientWidth / page.entry.width")
    square = room.browser.find_element(By.ID, "square")
    ActionChains(room.browser).drag_and_drop_by_offset(square, round(20 * scale), 0).perform()
    assert room.square() == pytest.approx([row, column + 20, size], abs=2)
    room.browser.find_element(By.ID, "accept").click()
    room.wait(lambda: len(room.answers()) == 1)
    assert room.browser.save_screenshot(str(tmp_path / "twice.png"))
    room.browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


def test_an_identified_picture_gets_its_square_and_its_kind_of_screen(room, tmp_path):
    folder = tmp_path / "cohort"
    (drawn, *_) = unlocated_cohort(folder, 2)
    room.folder = folder
    room.open("A", "--private", str(folder / ".dlre"), program="dlre_core.identified_reading")
    assert "IDENTIFIED" in room.browser.page_source
    assert room.text("file") == "p1/1.dcm"
    assert room.axe() == []
    # Both parts are drawn with the mouse, a little beside what was proposed.
    for part in ("elastogram", "colour_bar"):
        room.browser.find_element(By.CSS_SELECTOR, f"[name=draws][value={part}]").click()
        place = getattr(drawn, part)
        scale = room.browser.execute_script("return one('stage').clientWidth / page.entry.width")
        stage = room.browser.find_element(By.ID, "stage")
        right, down = round((place.left - 512) * scale), round((place.top - 384) * scale)
        chain = ActionChains(room.browser).move_to_element_with_offset(stage, right, down).click_and_hold()
        chain.move_by_offset(round(place.width * scale), round(place.height * scale)).release().perform()
        sides = room.browser.execute_script(f"return rectangle('{part}')")
        assert sides == pytest.approx(list(vars(place).values()), abs=4)
    for name, value in (("low", "0.5"), ("high", "10")):
        room.browser.find_element(By.ID, name).send_keys(value)
    room.browser.find_element(By.CSS_SELECTOR, "#unit option:last-child").click()
    room.browser.find_element(By.ID, "save-profile").click()
    room.wait(lambda: "Saved in screens.yaml" in room.text("message"))
    (profile,) = read_profiles(folder)
    assert profile.scale.unit == "m/s"
    assert "described by" in room.text("kind")
    room.browser.execute_script("one('scroll').focus()")
    square = room.square()
    room.press(Keys.ARROW_DOWN, "+", "a")
    assert put_squares(folder) == {"A/p1/1.dcm": Square(square[0], square[1] - 1, square[2] + 2)}
    assert room.text("file") == "p1/2.dcm"
    assert room.text("numbers").startswith("1 of 2")
    assert room.severe() == []


def test_the_page_shows_nothing_of_a_patient(room):
    room.open("ab")
    room.press(*"a1q")
    source = room.browser.page_source
    shown = source + str(room.browser.execute_script("return JSON.stringify(page.entry)"))
    for word in ("pseudonym", "secret_flag", "77.125", str(SECRET_KPA), "A0000", "B0000", "fibrosis"):
        assert word not in shown, word
    assert room.browser.execute_script("return localStorage.length + sessionStorage.length") == 0
    assert room.browser.execute_script("return document.cookie") == ""
