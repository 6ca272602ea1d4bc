"""What a PACS may do wrong, acted out by a small server; the list of studies; the C-STORE inbox."""

import http.server
import json
import logging
import signal
import socket
import ssl
import subprocess
import sys
import threading
import time

import certifi
import pandas as pd
import pytest
from pydicom.dataset import Dataset
from pydicom.uid import ExplicitVRLittleEndian
from pynetdicom import AE

from dlre_core.dicom.reader import ReadLimits
from dlre_core.foundation.errors import CohortError, ServerUnavailable
from dlre_core.pacs import dicomweb
from dlre_core.pacs.dicomweb import PacsSettings
from dlre_core.pacs.failures import documentation
from dlre_core.pacs.files import PICTURE_CLASSES, picture_name
from dlre_core.pacs.pull import pull_hospital
from dlre_core.pacs.storage import IDLE_SECONDS, MISMATCH, SUCCESS, main, serving
from dlre_core.patients.study_list import read_study_list
from dlre_core.workflow.contradictions import pacs_contradictions
from tests.helpers import elastogram_files as files
from tests.helpers.disks import mount
from tests.workflow.study import ROOT

US = "1.2.840.10008.5.1.4.1.1.6.1"


class Server(http.server.ThreadingHTTPServer):
    """Studies 1.2.1, 1.2.2, ... of one picture each; ``behave`` does wrong as a test says."""

    daemon_threads = True

    def __init__(self, picture: bytes) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.picture, self.asked, self.behave = picture, [], lambda handler: False
        self.url = f"http://127.0.0.1:{self.server_port}/dicom-web"


class Handler(http.server.BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        self.server.asked.append((self.path, self.headers.get("Authorization")))
        if self.server.behave(self):
            return
        study = self.path.split("/studies/")[1].split("/")[0]
        if "/series/" in self.path:
            self.multipart(self.server.picture.replace(b"1.2.9.9", f"{study}.9"[:7].encode()))
        else:
            found = {"0020000E": f"{study}.1", "00080018": f"{study}.9", "00080016": US}
            page = (
                []
                if "offset=1" in self.path
                else [{tag: {"vr": "UI", "Value": [value]} for tag, value in found.items()}]
            )
            self.answer("application/dicom+json", json.dumps(page).encode())

    def multipart(self, picture: bytes, *, closed: bool = True) -> None:
        head = b"--b\r\nContent-Type: application/dicom\r\n\r\n"
        end = b"\r\n--b--\r\n" if closed else b""
        self.answer('multipart/related; type="application/dicom"; boundary="b"', head + picture + end)

    def answer(self, kind: str, body: bytes, status: int = 200, length: int | None = None) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(length or len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def server(tmp_path, monkeypatch):
    monkeypatch.setattr(dicomweb, "LONGEST_WAIT_SECONDS", 0.01)
    path = files.write_elastogram(tmp_path / "x.dcm", uid="1.2.9.9")
    with Server(path.read_bytes()) as made:
        threading.Thread(target=made.serve_forever, daemon=True).start()
        yield made
        made.shutdown()


def pull(cohort, server, studies=3, **settings):
    cohort.mkdir(exist_ok=True)
    lines = ["hospital,study_instance_uid", *(f"A,1.2.{k}" for k in range(1, studies + 1))]
    (cohort / "studies.csv").write_text("\n".join(lines) + "\n")
    pull_hospital(
        cohort,
        "A",
        settings=PacsSettings(server.url, attempts=3, **settings),
        limits=ReadLimits(),
        counts_csv=cohort / "c.csv",
        failures_csv=cohort / "f.csv",
    )
    return pd.read_csv(cohort / "c.csv").iloc[0], pd.read_csv(cohort / "f.csv")


def about(study, does):
    """Behave wrongly towards the picture of one study."""
    return lambda handler: f"/{study}/series/" in handler.path and does(handler) is None


FAULTS = {
    "cut_off": lambda h: h.multipart(h.server.picture[:50_000], closed=False),
    "cut_off of the length": lambda h: h.answer("application/dicom", b"DICM", length=90_000),
    "server_fault": lambda h: h.answer("text/plain", b"", status=503),
    "refused": lambda h: h.answer("text/plain", b"", status=403),
    "not_found": lambda h: h.answer("text/plain", b"", status=404),
    "wrong_content": lambda h: h.multipart(b"<html>please log in</html>"),
    "wrong_content of another": lambda h: h.multipart(h.server.picture),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_one_study_that_fails_is_a_row_and_the_others_come(server, tmp_path, fault):
    server.behave = about("1.2.2", FAULTS[fault])
    counts, failures = pull(tmp_path / "c", server)
    code = fault.split(" of")[0]
    assert failures[["line", "code", "pictures"]].to_numpy().tolist() == [[3, code, 1]]
    assert (counts["fetched"], counts["not_fetched"], counts["lines_complete"]) == (2, 1, 2)
    folder = tmp_path / "c/dicom/A"
    assert {p.name for p in folder.iterdir()} == {picture_name("1.2.1.9"), picture_name("1.2.3.9")}
    tries = sum("/1.2.2/series/" in path for path, _ in server.asked)
    assert tries == (3 if code in ("cut_off", "server_fault") else 1)


def test_half_a_transfer_is_tried_again(server, tmp_path):
    broken = iter([FAULTS["cut_off"], FAULTS["server_fault"]])
    server.behave = about("1.2.1", lambda h: (next(broken, lambda _: 0))(h))
    counts, failures = pull(tmp_path / "c", server, studies=1)
    assert failures.empty
    assert counts["fetched"] == 1


def test_a_server_that_goes_down_stops_the_pull_and_it_goes_on_from_there(server, tmp_path):
    server.behave = lambda h: "/1.2.1/" not in h.path and h.answer("a/b", b"", status=502) is None
    with pytest.raises(ServerUnavailable, match=r"1 of 6 lines were done, 1 pictures came") as caught:
        pull(tmp_path / "c", server, studies=6)
    assert "1.2.2" not in str(caught.value)
    assert not any("/1.2.5/" in path for path, _ in server.asked)
    server.behave, server.asked = lambda handler: False, []
    counts, _ = pull(tmp_path / "c", server, studies=6)
    assert (counts["fetched"], counts["already_there"]) == (5, 1)
    assert not any("/1.2.1/series/" in path for path, _ in server.asked)


def test_credentials_go_to_the_server_alone(server, tmp_path, monkeypatch):
    monkeypatch.setenv("DICOMWEB_TOKEN", "t0ken")
    pull(tmp_path / "c", server, studies=1)
    assert {credential for _, credential in server.asked} == {"Bearer t0ken"}

    def elsewhere(handler):
        handler.send_response(302)
        handler.send_header("Location", "http://127.0.0.1:1/")
        handler.send_header("Content-Length", "0")
        handler.end_headers()
        return True

    server.behave = elsewhere
    with pytest.raises(ServerUnavailable, match="final address"):
        pull(tmp_path / "d", server, studies=1)


def test_a_certificate_must_verify(server, tmp_path, monkeypatch):
    # What the environment trusts must not replace what the configuration names.
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", certifi.where())
    certificate = tmp_path / "cert.pem"
    subprocess.run(
        [
            "openssl",
            "req",
            "-x509",
            "-newkey",
            "rsa:2048",
            "-nodes",
            "-days",
            "2",
            "-subj",
            "/CN=x",
            "-addext",
            "subjectAltName=IP:127.0.0.1",
            "-keyout",
            tmp_path / "key.pem",
            "-out",
            certificate,
        ],
        check=True,
        capture_output=True,
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, tmp_path / "key.pem")
    server.socket = context.wrap_socket(server.socket, server_side=True)
    server.url = server.url.replace("http:", "https:")
    with pytest.raises(ServerUnavailable, match="certificate"):
        pull(tmp_path / "c", server, studies=1)
    counts, _ = pull(tmp_path / "c", server, studies=1, certificates=str(certificate))
    assert counts["fetched"] == 1


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("hospital,study\nA,1.2\n", "lacks columns"),
        ("hospital,patient_id\n../B,1\n,2\n", "line 2, 3"),
        ("hospital,patient_id\n\n", "names no study"),
        (b"hospital,patient_id\nA,\xff\n", "cannot be read"),
    ],
)
def test_a_list_that_cannot_be_used_says_why(tmp_path, content, says):
    data = content if isinstance(content, bytes) else content.encode()
    (tmp_path / "studies.csv").write_bytes(data)
    with pytest.raises(CohortError, match=says):
        read_study_list(tmp_path)
    with pytest.raises(CohortError, match="no list of studies"):
        read_study_list(tmp_path / "nowhere")


@pytest.mark.parametrize("delimiter", [";", "\t"])
def test_a_list_may_be_separated_as_a_clinical_table_may(tmp_path, delimiter):
    path = tmp_path / "studies.csv"
    content = "hospital,patient_id,accession_number\nA,7,\n\nB,,9\n"
    path.write_text(content)
    expected = read_study_list(tmp_path)
    assert [(line.line, line.hospital) for line in expected] == [(2, "A"), (4, "B")]
    # As a European Excel saves it.
    text = content.replace(",", delimiter).replace("\n", "\r\n")
    path.write_bytes(b"\xef\xbb\xbf" + text.encode())
    assert read_study_list(tmp_path) == expected


def test_names_do_not_travel_in_the_open_unless_asked():
    def faults(url, **more):
        pacs = {"url": url, **more}
        return " ".join(pacs_contradictions({"folder": "/data", "dicomweb": pacs}))

    assert "in the open" in faults("http://pacs.hospital/dicom-web")
    assert faults("http://pacs.hospital/dicom-web", allow_http=True) == ""
    assert faults("https://pacs.hospital/dicom-web") == faults("http://127.0.0.1:8042/x") == ""
    assert "needs one" in faults(None)


def test_the_failures_are_documented():
    assert documentation() in (ROOT / "docs/guide/pacs.md").read_text()


def send(port: int, *datasets: Dataset) -> list[int]:
    entity = AE()
    for sop_class in PICTURE_CLASSES:
        entity.add_requested_context(sop_class, ExplicitVRLittleEndian)
    association = entity.associate("127.0.0.1", port)
    assert association.is_established
    statuses = [association.send_c_store(dataset).get("Status", -1) for dataset in datasets]
    association.release()
    return statuses


def test_the_inbox_names_files_itself_and_keeps_a_conflict_for_ingestion(tmp_path):
    one, other = (files.make_dataset(files.draw_screen(k), uid="1.2.3") for k in (1, 2))
    one.PatientID = "../../../etc/passwd"
    with serving(tmp_path, "A", 0, ReadLimits()) as (server, inbox):
        assert server.server_address[0] == "127.0.0.1"
        statuses = send(server.server_address[1], one, one, other)
    assert statuses == [SUCCESS] * 3
    assert inbox.numbers == {"received": 2, "already_there": 1}
    found = [p for p in tmp_path.rglob("*") if p.is_file()]
    assert {p.parent for p in found} == {tmp_path / "dicom/A"}
    assert {p.name[:32] for p in found} == {picture_name("1.2.3")[:32]}
    assert all(p.stat().st_mode & 0o077 == 0 for p in found)


def test_the_inbox_refuses_a_data_set_that_is_not_the_one_announced(tmp_path):
    dataset = files.make_dataset(files.draw_screen(1), uid="1.2.3")
    hostile = type("Hostile", (), {})
    with serving(tmp_path, "A", 0, ReadLimits()) as (_, inbox):
        path = files.save(dataset, tmp_path / "x.dcm")
        event, event.request = hostile(), hostile()
        event.request.AffectedSOPInstanceUID, event.dataset_path = "../../x", path
        assert inbox.store(event) == MISMATCH
    assert list((tmp_path / "dicom/A").iterdir()) == []


def test_the_inbox_reads_nothing_of_what_announces_too_much(tmp_path):
    dataset = files.make_dataset(files.draw_screen(1), uid="1.2.3")
    with serving(tmp_path, "A", 0, ReadLimits()) as (server, inbox):
        port = server.server_address[1]
        with socket.create_connection(("127.0.0.1", port), timeout=20) as sender:
            # A request for an association, 4 GB long.
            sender.sendall(b"\x01\x00\xff\xff\xff\xf0")
            with pytest.raises(OSError, match=r"reset|pipe"):  # noqa: PT012
                for _ in range(64):
                    sender.sendall(bytes(1 << 20))
        assert send(port, dataset) == [SUCCESS]
    assert inbox.numbers == {"refused": 1, "received": 1}


@pytest.mark.filterwarnings("error::pytest.PytestUnhandledThreadExceptionWarning")
def test_the_inbox_breaks_off_what_a_full_disk_cannot_take(tmp_path, caplog):
    dataset = files.make_dataset(files.draw_screen(1), uid="1.2.3")
    disk = tmp_path / "disk"
    disk.mkdir()
    mount(disk, "size=2m")
    caplog.set_level(logging.INFO, "dlre_core.pacs.storage")
    try:
        filler = disk / "filler"
        filler.write_bytes(bytes(2_000_000))
        with serving(disk, "A", 0, ReadLimits()) as (server, inbox):
            port = server.server_address[1]
            before = time.monotonic()
            assert send(port, dataset) == [-1]
            assert time.monotonic() - before < IDLE_SECONDS / 2
            filler.unlink()
            assert send(port, dataset) == [SUCCESS]
        assert inbox.numbers == {"refused": 1, "received": 1}
    finally:
        subprocess.run(["umount", "--lazy", disk], check=False)
    told = [line for line in caplog.messages if "could not be written" in line]
    assert len(told) == 1
    assert "No space left on device" in told[0]
    assert "send it again" in told[0]


@pytest.mark.parametrize("folder", ["/proc/nothing", "file/in"])
def test_a_folder_that_cannot_be_filled_is_named(tmp_path, capsys, folder):
    (tmp_path / "file").write_text("")
    assert main([str(tmp_path / folder), "A", "--port", "0"]) == 1
    said = capsys.readouterr().err
    assert f"No pictures can be put into {tmp_path / folder}" in said
    assert "make receive FOLDER=" in said


def test_ctrl_c_ends_the_inbox_cleanly(tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        assert main([str(tmp_path), "A", "--port", str(taken.getsockname()[1])]) == 1
    command = [sys.executable, "-m", "dlre_core.pacs.storage", str(tmp_path), "A", "--port", "0"]
    with subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True) as process:
        assert "receiving at 127.0.0.1" in process.stderr.readline()
        time.sleep(0.1)
        process.send_signal(signal.SIGINT)
        said = process.stderr.read()
        assert process.wait(timeout=20) == 0
    assert said.endswith("0 received, 0 already there, 0 refused\n")
    assert list((tmp_path / ".arriving").iterdir()) == []
