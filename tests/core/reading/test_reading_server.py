"""The server: who is let in, what is refused, and that no byte says anything of a patient."""

import functools
import http.client
import io
import json
import os
import signal
import subprocess
import sys
import threading
import time

import numpy as np
import pytest
from PIL import Image

from dlre_core.reading.__main__ import main
from dlre_core.reading.reading_order import reading_order
from dlre_core.reading.reading_room import ReadingServer, Room
from dlre_core.reading.reading_session import ReadingSession
from dlre_core.reading.readings_file import Readings, read_answers
from dlre_core.reading.shown_pictures import PictureFiles, stored_pictures
from tests.helpers.page_client import Client
from tests.helpers.reading import SECRET_KPA, drawn_screen, stored_study

PICTURES = {"A": 12, "B": 5}


@pytest.fixture
def study(tmp_path):
    return stored_study(tmp_path / "store", PICTURES)


@pytest.fixture
def server(study, tmp_path):
    pictures = stored_pictures(study, PICTURES)
    order = reading_order([(p.patient, p.image_id) for p in pictures], "ab")
    session = ReadingSession(pictures, order, Readings(tmp_path / "readings" / "ab.csv"))
    with PictureFiles(pictures) as files, ReadingServer(session, files, Room("ab", "All", True, False)) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def client(server):
    return Client(server)


def test_the_token_opens_once_and_the_cookie_stays(server, client):
    address = server.address
    entered = client.enter()
    assert (entered.status, entered.headers["Location"]) == (303, "/")
    cookie = entered.headers["Set-Cookie"]
    assert all(word in cookie for word in ("HttpOnly", "SameSite=Strict", "Path=/"))
    assert client.ask("GET", "/").status == 200
    other = Client(server)
    assert other.ask("GET", "/?" + address.partition("?")[2]).status == 403
    # A second tab of the same browser has the cookie.
    assert client.ask("GET", "/?" + address.partition("?")[2]).status == 303


@pytest.mark.parametrize(
    "path", ["/", "/reading.js", "/progress", "/entry/0", "/picture/0.png", "/favicon.ico", "/?token=x", "/?token="]
)
@pytest.mark.parametrize("cookie", [None, "reading_0=x", "nonsense", "a=b; ;;=,"])
def test_without_the_cookie_nothing_is_told(client, path, cookie):
    answer = client.ask("GET", path, Cookie=cookie)
    assert answer.status == 403
    assert len(answer.content) < 200


def test_every_answer_carries_its_policy(client):
    client.enter()
    for path in ("/", "/reading.js", "/progress", "/picture/0.png", "/nowhere"):
        headers = client.ask("GET", path).headers
        policy = headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert headers["Cache-Control"] == "no-store"
        assert headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1", "evil.example:{port}", "localhost:1", "", None])
def test_another_host_is_refused(server, client, host):
    client.enter()
    changed = host if host is None else host.format(port=server.server_port)
    assert client.ask("GET", "/progress", Host=changed).status in (400, 403)
    assert client.ask("GET", "/progress", Host=f"localhost:{server.server_port}").status == 200


@pytest.mark.parametrize("method", ["HEAD", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "CONNECT", "BREW"])
def test_other_methods_are_refused(client, method):
    client.enter()
    assert client.ask(method, "/progress").status in (405, 501)


@pytest.mark.parametrize(
    "path",
    [
        "/../../etc/passwd",
        "/picture/../../store/A.h5",
        "/picture/%2e%2e/A.h5",
        "/picture/0.png/..",
        "/picture/00.png",
        "/picture/-1.png",
        "/picture/19.png",
        "/picture/99999999999.png",
        "/picture/0.png?x=1",
        "/entry/19",
        "/entry/1e0",
        "/reading.html.j2",
        "/server.py",
        "http://127.0.0.1/progress",
        "/progress/",
        "/%00",
    ],
)
def test_other_paths_lead_nowhere(client, path):
    client.enter()
    assert client.ask("GET", path).status == 404
    assert client.ask("POST", path, {}).status == 404


def test_pictures_are_those_of_the_store(server, client):
    client.enter()
    for position in (0, 5, len(server.session) - 1):
        picture = server.session.picture_at(position)
        content = client.ask("GET", f"/picture/{position}.png").content
        assert np.array_equal(np.asarray(Image.open(io.BytesIO(content))), drawn_screen(picture.row))


def test_an_answer_is_in_the_file_when_it_is_confirmed(server, client, tmp_path):
    client.enter()
    told = client.answer(
        0, verdict="exclude", reason="motion", note="naïve", square={"row": 3, "column": 4, "size": 99}
    )
    assert told.status == 200
    (stored,) = read_answers(tmp_path / "readings" / "ab.csv").values()
    assert (stored.verdict, stored.reason, stored.note, stored.by_hand) == ("exclude", "motion", "naïve", True)
    assert (stored.square.row, stored.square.column, stored.square.size) == (3, 4, 99)
    assert json.loads(told.content)["progress"]["read"] == 1
    assert client.json("POST", "/undo", {})["position"] == 0
    assert client.json("POST", "/undo", {})["position"] is None
    assert read_answers(tmp_path / "readings" / "ab.csv") == {}


def test_a_second_tab_is_told_of_the_firsts_answer(client):
    client.enter()
    assert client.answer(0, verdict="unsure").status == 200
    late = client.answer(0, seen=0)
    assert late.status == 409
    assert "another tab" in json.loads(late.content)["error"]


@pytest.mark.parametrize(
    "changes",
    [
        {"verdict": 1},
        {"verdict": "yes"},
        {"position": True},
        {"position": "0"},
        {"square": None},
        {"square": {"row": 0, "column": 0}},
        {"square": {"row": 0.5, "column": 0, "size": 100}},
        {"square": {"row": 0, "column": 300, "size": 100}},
        {"seconds": "1"},
        {"seconds": float("inf")},
        {"note": ["x"]},
        {"box_wrong": "no"},
        {"seen": None},
    ],
)
def test_an_answer_that_cannot_be_so_is_refused_and_not_kept(client, tmp_path, changes):
    client.enter()
    assert client.answer(0, **changes).status == 422
    assert not (tmp_path / "readings" / "ab.csv").exists()


def test_only_short_json_of_this_page_is_read(server, client):
    client.enter()
    for changes, status in (
        ({"Content-Type": None}, 415),
        ({"Content-Type": "text/plain"}, 415),
        ({"Origin": "http://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": f"https://127.0.0.1:{server.server_port}"}, 403),
        ({"Content-Length": "5000"}, 413),
        ({"Content-Length": "-1"}, 413),
        ({"Transfer-Encoding": "chunked"}, 413),
    ):
        assert client.ask("POST", "/undo", b"{}", **changes).status == status, changes
    for body in (b"[]", b"{", b"\xff", b"[" * 4000):
        assert client.ask("POST", "/undo", body).status == 400
    assert client.ask("POST", "/undo", {}, Origin=f"http://127.0.0.1:{server.server_port}").status == 200


def test_a_full_disk_is_told_and_nothing_is_lost(client, tmp_path, monkeypatch):
    client.enter()
    assert client.answer(0).status == 200

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    told = client.answer(1)
    assert told.status == 507
    assert "Not saved: No space left on device" in json.loads(told.content)["error"]
    monkeypatch.undo()
    assert client.json("GET", "/progress")["read"] == 1
    assert client.answer(1).status == 200
    assert len(read_answers(tmp_path / "readings" / "ab.csv")) == 2


def test_no_byte_tells_a_stage_a_value_or_a_patient(server, client):
    client.enter()
    client.ask("GET", "/")
    for path in ("/reading.js", "/reading.css"):
        client.ask("GET", path)
    for position in range(len(server.session)):
        client.ask("GET", f"/picture/{position}.png")
        client.answer(position, verdict="exclude", reason="motion")
    client.json("GET", "/progress")
    client.json("POST", "/undo", {})
    assert len(client.bytes) > 20_000
    lower = client.bytes.lower()
    words = ["pseudonym", "secret", "fibrosis", "stage_", "77.125", str(SECRET_KPA), "kpa", "patient", "alt_iu"]
    words += [picture.image_id.lower() for picture in server.session.pictures]
    # The banner says that there are no real ones.
    lower = lower.replace(b"no real patients", b"")
    assert [word for word in words if word.encode() in lower] == []


def test_many_pictures_take_no_more_memory_than_a_few(server):
    files = server.files
    for number in range(len(server.session.pictures)):
        files.png(number)
    files.prepare(range(12))
    assert files.png(3) is files.png(3)


def test_it_opens_without_what_takes_seconds_to_load():
    code = "import dlre_core.reading.__main__, sys; print({'pandas', 'numba', 'openpyxl', 'scipy'} & set(sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout == "set()\n"


def start(study, tmp_path, *arguments, reader="ab"):
    """``make read`` as a process, and the address that it prints."""
    command = [sys.executable, "-m", "dlre_core.reading", reader, "--folder", str(tmp_path), "--store", str(study)]
    # A shell's background jobs ignore Ctrl+C, and so would what they start.
    heeded = functools.partial(signal.signal, signal.SIGINT, signal.SIG_DFL)
    process = subprocess.Popen([*command, *arguments], stdout=subprocess.PIPE, text=True, preexec_fn=heeded)
    lines = [process.stdout.readline() for _ in range(2)]
    return process, lines[1].split()[1]


class Process:
    """What a client needs of a server in another process."""

    def __init__(self, address):
        self.address = address
        self.server_port = int(address.split(":")[2].split("/")[0])


def test_a_killed_server_loses_nothing_and_goes_on(study, tmp_path):
    for hospital in PICTURES:
        (tmp_path / "dicom" / hospital).mkdir(parents=True)
    confirmed = 0
    for _ in range(3):
        process, address = start(study, tmp_path)
        client = Client(Process(address))
        client.enter()
        progress = client.json("GET", "/progress")
        assert progress["read"] == confirmed
        killer = threading.Timer(0.4, lambda process=process: process.send_signal(signal.SIGKILL))
        killer.start()
        try:
            while (position := client.json("GET", "/progress")["next"]) is not None:
                assert client.answer(position).status == 200
                confirmed += 1
                time.sleep(0.05)
        except (OSError, http.client.HTTPException):
            pass
        killer.join()
        process.wait()
        stored = len(read_answers(tmp_path / "readings" / "ab.csv"))
        # The last answer may be saved and its confirmation lost.
        assert stored in (confirmed, confirmed + 1)
        confirmed = stored


def test_two_readers_read_at_once_and_one_reader_only_once(study, tmp_path, capsys):
    for hospital in PICTURES:
        (tmp_path / "dicom" / hospital).mkdir(parents=True)
    process, _ = start(study, tmp_path)
    try:
        given = ["--folder", str(tmp_path), "--store", str(study)]
        assert main(["ab", *given]) == 2
        assert "another make read" in capsys.readouterr().out
        other, address = start(study, tmp_path, "--hospital", "B", reader="cd")
        client = Client(Process(address))
        client.enter()
        assert client.json("GET", "/progress")["total"] == PICTURES["B"] + 1
        other.send_signal(signal.SIGINT)
        assert other.wait(20) == 0
    finally:
        process.send_signal(signal.SIGINT)
        assert process.wait(20) == 0


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (["../ab"], "READER="),
        (["consensus"], "READER="),
        ([], "READER="),
        (["ab", "--hospital", "Z"], "HOSPITAL=Z"),
        (["--consensus"], "Two readers' files"),
    ],
)
def test_what_cannot_be_read_is_said_in_a_sentence(study, tmp_path, capsys, arguments, word):
    for hospital in PICTURES:
        (tmp_path / "dicom" / hospital).mkdir(parents=True)
    assert main([*arguments, "--folder", str(tmp_path), "--store", str(study)]) == 2
    assert word in capsys.readouterr().out


def test_pictures_that_are_not_there_yet_are_asked_for(study, tmp_path, capsys):
    (tmp_path / "dicom" / "C").mkdir(parents=True)
    assert main(["ab", "--folder", str(tmp_path), "--store", str(study)]) == 2
    assert "make pictures" in capsys.readouterr().out
