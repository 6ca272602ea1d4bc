"""The report, clicked through in headless Chromium; axe-core judges its accessibility."""

import base64
import json
from importlib import resources

import pytest
from PIL import Image

from dlre_core.ingestion.usable_picture import IngestionSettings
from dlre_core.preflight.screens_page import write_screens
from dlre_core.screen_kinds.screen_kinds import sort_folder
from dlre_core.simulation.foreign_screens import foreign_screen
from dlre_core.simulation.other_screens import example_screen
from tests.helpers.browser import By, Keys, WebDriverWait, chromium, needs_chromium

pytestmark = needs_chromium


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    with chromium(tmp_path_factory.mktemp("chromium"), "browser", "performance") as driver:
        yield driver


@pytest.fixture
def report(browser, finished_study):
    browser.set_window_size(1280, 900)
    browser.get(f"file://{finished_study.folder / 'results/report.html'}")
    return browser


def foreign_requests(browser):
    """Addresses outside the file that were asked for since the log was last read."""
    requests = [
        json.loads(entry["message"])["message"]["params"]["request"]["url"]
        for entry in browser.get_log("performance")
        if '"Network.requestWillBeSent"' in entry["message"]
    ]
    assert any(url.startswith("file:") for url in requests)
    # The browser's own start page (chrome:) is no request of the report's.
    return [url for url in requests if not url.startswith(("file:", "data:", "blob:", "chrome"))]


def axe_violations(browser, scheme):
    """What axe-core finds on the page, in light or dark: rule, help and the first places of each."""
    media = {"features": [{"name": "prefers-color-scheme", "value": scheme}]}
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", media)
    axe = resources.files("axe_core_python").joinpath("axe.min.js").read_text(encoding="utf-8")
    browser.set_script_timeout(300)
    browser.execute_script(axe)
    found = browser.execute_async_script("const done = arguments[0]; axe.run(document).then((r) => done(r.violations))")
    return [(v["id"], v["help"], [n["html"][:120] for n in v["nodes"][:3]]) for v in found]


def test_it_stays_in_its_file_and_has_no_errors(report):
    assert foreign_requests(report) == []
    errors = [entry for entry in report.get_log("browser") if entry["level"] == "SEVERE"]
    assert errors == []


def test_it_says_simulated_first(report):
    banner = report.find_element(By.CLASS_NAME, "banner")
    assert "SIMULATED" in banner.text
    assert banner.is_displayed()


def test_every_link_leads_somewhere(report):
    for link in report.find_elements(By.CSS_SELECTOR, "a[href^='#']"):
        target = link.get_attribute("href").split("#")[1]
        assert report.find_elements(By.ID, target), target


def test_tables_sort_both_ways(report):
    table = report.find_element(By.CSS_SELECTOR, "#quality table.sortable")
    head = table.find_elements(By.CSS_SELECTOR, "thead th")[1]

    def column():
        cells = table.find_elements(By.CSS_SELECTOR, "tbody tr td:nth-child(2)")
        return [int(cell.text) for cell in cells]

    head.send_keys(Keys.ENTER)
    assert head.get_attribute("aria-sort") == "ascending"
    assert column() == sorted(column())
    report.execute_script("arguments[0].click()", head)
    assert column() == sorted(column(), reverse=True)


def test_downloads_are_the_files(report, finished_study):
    assembled = {"trainings.csv", "leak_checks.csv", "runtimes.csv"}
    links = report.find_elements(By.CSS_SELECTOR, "a[download]")
    assert len(links) >= 20
    for link in links:
        name = link.get_attribute("download")
        content = base64.b64decode(link.get_attribute("href").split("base64,")[1])
        originals = [path.read_bytes() for path in finished_study.folder.rglob(f"results/**/{name}")]
        assert content in originals or (name in assembled and content.count(b"\n") > 1), name


def test_every_table_has_its_csv(report):
    without = report.execute_script(
        "return [...document.querySelectorAll('main .scroll')].filter((part) => {"
        " const before = part.previousElementSibling, after = part.nextElementSibling;"
        " return ![before, after].some((x) => x && (x.matches('a[download]') || x.querySelector('a[download]')));"
        "}).map((part) => part.getAttribute('aria-label'))"
    )
    assert without == []


def test_patients_come_before_the_headline_and_the_headline_before_all_else(report):
    sections = report.find_elements(By.CSS_SELECTOR, "main > section")
    names = [part.get_attribute("id") for part in sections]
    assert names[:4] == ["flow", "headline", "method", "main"]


def test_a_links_target_stays_where_it_is_while_pictures_load(report):
    wrong = report.execute_async_script(
        "const done = arguments[0], pictures = [...document.querySelectorAll('figure[id] img[width]')];"
        "pictures.forEach((p) => { p.loading = 'eager'; });"
        "Promise.all(pictures.map((p) => p.decode())).then(() => done([pictures.length, pictures.filter((p) =>"
        " Math.abs(p.naturalWidth / p.naturalHeight - p.getAttribute('width') / p.getAttribute('height')) > 0.02"
        ").map((p) => p.alt)]))"
    )
    assert wrong[0] >= 18
    assert wrong[1] == []


def test_paper_shows_what_the_screen_folds(report):
    report.execute_script("dispatchEvent(new Event('beforeprint'))")
    assert report.find_elements(By.CSS_SELECTOR, "details:not([open])") == []
    report.execute_script("dispatchEvent(new Event('afterprint'))")
    assert report.find_elements(By.CSS_SELECTOR, "details[open]") == []


def test_figures_enlarge_and_close_by_keyboard(report):
    button = report.find_element(By.CSS_SELECTOR, "figure button.zoom")
    button.send_keys(Keys.ENTER)
    dialog = report.find_element(By.ID, "lightbox")
    assert dialog.get_attribute("open") is not None
    picture = dialog.find_element(By.TAG_NAME, "img")
    width = picture.size["width"]
    assert width > 300
    picture.click()
    assert picture.size["width"] > 1.5 * width
    report.switch_to.active_element.send_keys(Keys.ESCAPE)
    assert dialog.get_attribute("open") is None


@pytest.mark.parametrize("width", [1400, 800, 380])
def test_no_width_needs_sideways_scrolling(report, width, tmp_path):
    metrics = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
    report.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    needed = report.execute_script("return document.documentElement.scrollWidth")
    assert needed <= width
    # Captions and footnotes can be read without moving the table.
    ends = report.execute_script(
        "return [...document.querySelectorAll('caption span, tfoot td div')]"
        ".map((part) => part.getBoundingClientRect().right)"
    )
    assert len(ends) >= 20
    assert max(ends) <= width
    assert report.save_screenshot(str(tmp_path / f"{width}.png"))
    report.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(report, scheme):
    assert axe_violations(report, scheme) == []


def test_snakemakes_own_report_opens_offline(browser, finished_study, tmp_path):
    # Outside results/: other tests compare what lies there.
    page = tmp_path / "snakemake_report.html"
    finished_study.snakemake("--report", str(page))
    for log in ("browser", "performance"):
        browser.get_log(log)
    browser.get(f"file://{page}")
    words = WebDriverWait(browser, 30).until(lambda b: b.find_element(By.ID, "app").text)
    assert {"Audit", "Extended", "Figures", "Quality", "Supplement", "Tables"} <= set(words.split("\n"))
    assert foreign_requests(browser) == []
    assert [entry for entry in browser.get_log("browser") if entry["level"] == "SEVERE"] == []
    text = page.read_text(encoding="utf-8")
    missing = [
        path.name
        for folder in ("tables", "figures")
        for path in sorted((finished_study.folder / "results" / folder).glob("*.*"))
        if path.suffix in (".csv", ".svg") and f"results/{folder}/{path.name}" not in text
    ]
    assert missing == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_of_screens_stays_in_its_file_and_axe_finds_nothing(browser, tmp_path, scheme):
    pictures = tmp_path / "pictures"
    pictures.mkdir()
    for name in ("single_bar_left", "side_by_side"):
        Image.fromarray(example_screen(name, 1).screen).save(pictures / f"{name}.png")
    Image.fromarray(foreign_screen("colour_doppler", 3)).save(pictures / "doppler.png")
    page, _ = write_screens(pictures, sort_folder(pictures, IngestionSettings()), tmp_path / "out")
    browser.set_window_size(1280, 900)
    browser.get(f"file://{page}")
    assert foreign_requests(browser) == []
    assert axe_violations(browser, scheme) == []
    assert len(browser.find_elements(By.CSS_SELECTOR, "svg rect.box")) == 2
    assert len(browser.find_elements(By.CSS_SELECTOR, "svg rect.proposed")) == 2
    browser.set_window_size(500, 900)
    assert browser.execute_script("return document.documentElement.scrollWidth <= innerWidth")
