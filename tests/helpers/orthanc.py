"""A real PACS for tests: Orthanc from Debian's packages, on a loopback of its own."""

import contextlib
import ctypes
import json
import os
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pydicom

PLUGIN = Path("/usr/share/orthanc/plugins/libOrthancDicomWeb.so")
# dcmtk's; pynetdicom puts another of this name first on PATH.
STORESCU = "/usr/bin/storescu"
NEW_NETWORK = 0x40000000
OPTIONS = {
    ".1.99": "-xd",
    ".2": "-xb",
    ".5": "-xr",
    ".4.50": "-xy",
    ".4.51": "-xx",
    ".4.70": "-xs",
    ".4.80": "-xt",
    ".4.81": "-xu",
    ".4.90": "-xv",
    ".4.91": "-xw",
}
USER, PASSWORD = "study", "a-secret-7731"


@contextlib.contextmanager
def own_loopback() -> Iterator[None]:
    """A network namespace for this thread and its children (root), since Orthanc binds 0.0.0.0.

    Elsewhere Orthanc is told to refuse what is not local.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    with open("/proc/thread-self/ns/net") as before:
        entered = libc.unshare(NEW_NETWORK) == 0
        try:
            if entered:
                subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
            yield
        finally:
            if entered:
                libc.setns(before.fileno(), NEW_NETWORK)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Orthanc:
    """A running server."""

    def __init__(self, folder: Path, inbox_port: int) -> None:
        self.http, self.dicom = free_port(), free_port()
        self.url = f"http://127.0.0.1:{self.http}/dicom-web"
        folder.mkdir()
        self._settings = folder / "orthanc.json"
        settings = {
            "Name": "TEST",
            "StorageDirectory": str(folder / "db"),
            "HttpPort": self.http,
            "DicomPort": self.dicom,
            "DicomAet": "ORTHANC",
            "Plugins": [str(PLUGIN)],
            "RemoteAccessAllowed": False,
            "AuthenticationEnabled": True,
            "RegisteredUsers": {USER: PASSWORD},
            "DicomWeb": {"Enable": True},
            "DicomModalities": {"inbox": ["DLRE", "127.0.0.1", inbox_port]},
        }
        self._settings.write_text(json.dumps(settings))
        self._log = folder / "log"
        self.start()

    def start(self) -> None:
        with open(self._log, "ab") as log:
            self._process = subprocess.Popen(
                ["Orthanc", str(self._settings)], stdout=log, stderr=log, stdin=subprocess.DEVNULL
            )
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            with contextlib.suppress(OSError):
                self.rest("system")
                return
            time.sleep(0.05)
        raise AssertionError(self._log.read_text()[-3000:])

    def stop(self) -> None:
        self._process.terminate()
        self._process.wait(timeout=30)

    def rest(self, path: str, content: object = None) -> object:
        data = None if content is None else json.dumps(content).encode()
        request = urllib.request.Request(f"http://127.0.0.1:{self.http}/{path}", data)
        manager = urllib.request.HTTPPasswordMgrWithPriorAuth()
        manager.add_password(None, request.full_url, USER, PASSWORD, is_authenticated=True)
        opener = urllib.request.build_opener(
            urllib.request.ProxyHandler({}), urllib.request.HTTPBasicAuthHandler(manager)
        )
        with opener.open(request, timeout=30) as answer:
            return json.load(answer)

    def send(self, *folders: Path) -> None:
        """Send all files below the folders by dcmtk's storescu, as they are compressed."""
        for folder in folders:
            for syntax in ("-x=", *OPTIONS.values()):
                files = [p for p in sorted(folder.rglob("*.dcm")) if _option(p) == syntax]
                if files:
                    command = [STORESCU, syntax, "-aec", "ORTHANC", "127.0.0.1", str(self.dicom)]
                    subprocess.run([*command, *map(str, files)], check=True, env=os.environ)


def _option(path: Path) -> str:
    """storescu's option for the transfer syntax that a file has."""
    syntax = str(pydicom.dcmread(path, specific_tags=["PatientID"]).file_meta.TransferSyntaxUID)
    return OPTIONS.get(syntax.removeprefix("1.2.840.10008.1.2"), "-x=")
