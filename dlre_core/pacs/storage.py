"""Receive pictures by C-STORE on this machine's loopback and put them into a hospital's folder.

Use: ``python -m dlre_core.pacs.storage FOLDER HOSPITAL``; Ctrl-C ends it.
"""

import argparse
import logging
import signal
import socket
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from pynetdicom import AE, _config, evt
from pynetdicom.association import Association
from pynetdicom.pdu_primitives import P_DATA
from pynetdicom.sop_class import Verification
from pynetdicom.transport import ThreadedAssociationServer

from dlre_core.dicom.file_search import FoundFile
from dlre_core.dicom.guarded_reader import GuardedReader
from dlre_core.dicom.reader import ReadLimits
from dlre_core.dicom.reject_reasons import Unusable
from dlre_core.foundation.errors import DlreError, ServerUnavailable, StorageError
from dlre_core.pacs.files import PICTURE_CLASSES, arrivals, hospital_folder, keep
from dlre_core.patients.study_list import HOSPITAL, is_uid

logger = logging.getLogger(__name__)
# It logs UIDs and what peers call themselves.
logging.getLogger("pynetdicom").setLevel(logging.CRITICAL)

ADDRESS = "127.0.0.1"
TITLE = "DLRE"
PORT = 11112
IDLE_SECONDS = 60
# Far above the 16 kB that senders are asked to keep to, and any request for an association.
LARGEST_PDU = 1 << 20
# What ingestion decodes.
TRANSFER_SYNTAXES = [
    "1.2.840.10008.1.2.1",
    "1.2.840.10008.1.2",
    "1.2.840.10008.1.2.2",
    "1.2.840.10008.1.2.1.99",
    "1.2.840.10008.1.2.5",
    *(f"1.2.840.10008.1.2.4.{n}" for n in (50, 51, 57, 70, 80, 81, 90, 91, 201, 202, 203)),
]
# PS3.4, table B.2-1.
SUCCESS, OUT_OF_RESOURCES, MISMATCH, NOT_UNDERSTOOD = 0x0000, 0xA700, 0xA900, 0xC000


class StorageInbox:
    """What the server does with a picture; ``numbers`` counts received, already_there, refused."""

    def __init__(self, pictures: Path, place: Path, reader: GuardedReader, limits: ReadLimits):
        self.pictures, self.place, self.limits = pictures, place, limits
        self.numbers: Counter[str] = Counter()
        self._reader, self._lock = reader, threading.Lock()
        self._bytes: Counter[int] = Counter()

    def store(self, event: evt.Event) -> int:
        """Keep a picture that is one; the status of PS3.4 for the sender."""
        with self._lock:
            status, what = self._store(event)
            self.numbers[what] += 1
        logger.info("picture %d: %s", sum(self.numbers.values()), what.replace("_", " "))
        return status

    def _store(self, event: evt.Event) -> tuple[int, str]:
        uid, path = str(event.request.AffectedSOPInstanceUID), event.dataset_path
        try:
            header = self._reader.header(FoundFile(path.name, path))
        except Unusable:
            header = None
        if header is None:
            return NOT_UNDERSTOOD, "refused"
        if not is_uid(uid) or header.sop_instance_uid != uid:
            return MISMATCH, "refused"
        try:
            return SUCCESS, "received" if keep(path, self.pictures, uid) else "already_there"
        except OSError as error:
            self._say_unwritten(error)
            return OUT_OF_RESOURCES, "refused"

    def opened(self, event: evt.Event) -> None:
        """Set limits where pynetdicom has none: it raises no event before a message was read or written.

        A message that announces more than may come is not read, and a transfer that cannot be written
        is broken off.
        """
        connection, messages = event.assoc.dul.socket, event.assoc.dimse
        receive, write = connection.recv, messages.receive_primitive

        def receive_bounded(n_bytes: int) -> bytearray:
            if n_bytes > LARGEST_PDU:
                logger.warning("a connection that announced %d bytes at once was closed", n_bytes)
                self.numbers["refused"] += 1
                connection.socket.shutdown(socket.SHUT_RDWR)
                # pynetdicom takes it for a lost connection.
                raise ConnectionAbortedError
            return receive(n_bytes)

        def write_or_break_off(data: P_DATA) -> None:
            try:
                write(data)
            except OSError as error:
                # What is already on its way goes nowhere.
                messages.receive_primitive = lambda _: None
                self._say_unwritten(error)
                self._break_off(event.assoc)

        connection.recv, messages.receive_primitive = receive_bounded, write_or_break_off

    def count_bytes(self, event: evt.Event) -> None:
        """Break off a transfer that is larger than any file may be."""
        self._bytes[id(event.assoc)] += len(event.data)
        if self._bytes[id(event.assoc)] > self.limits.bytes_per_file:
            logger.warning("a transfer above the limit was broken off")
            self._bytes[id(event.assoc)] = 0
            self._break_off(event.assoc)

    def _break_off(self, association: Association) -> None:
        self.numbers["refused"] += 1
        # It waits for the thread that calls this.
        threading.Thread(target=association.abort, daemon=True).start()

    def _say_unwritten(self, error: OSError) -> None:
        logger.error(
            "a picture could not be written (%s): free space on the disk of %s or allow writing, then send it again",
            error.strerror,
            self.pictures,
        )

    def message_done(self, event: evt.Event) -> None:
        """The next file is counted anew."""
        self._bytes[id(event.assoc)] = 0

    def closed(self, event: evt.Event) -> None:
        """Remove what was left of transfers that broke off."""
        self._bytes.pop(id(event.assoc), None)
        for path in self.place.iterdir():
            with suppress(FileNotFoundError):
                if time.time() - path.stat().st_mtime > 2 * IDLE_SECONDS:
                    path.unlink()


@contextmanager
def _places(folder: str | Path, hospital: str) -> Iterator[tuple[Path, Path]]:
    with ExitStack() as stack:
        try:
            place = stack.enter_context(arrivals(folder))
            pictures = hospital_folder(folder, hospital)
        except OSError as error:
            raise StorageError(
                f"No pictures can be put into {folder}: {error.filename} ({error.strerror}).",
                "Name the cohort's folder, in which you may write: make receive FOLDER=...",
            ) from None
        yield pictures, place


@contextmanager
def serving(
    folder: str | Path, hospital: str, port: int, limits: ReadLimits
) -> Iterator[tuple[ThreadedAssociationServer, StorageInbox]]:
    """Receive within the block.

    Parameters
    ----------
    folder : path
        The cohort folder; ``dicom/<hospital>`` below it is filled.
    hospital : str
    port : int
        Of 127.0.0.1; 0 takes a free one.
    limits : ReadLimits

    Raises
    ------
    StorageError
        If the folder cannot be made or written.
    ServerUnavailable
        If the port cannot be opened.
    """
    with _places(folder, hospital) as (pictures, place), GuardedReader(limits) as reader:
        inbox = StorageInbox(pictures, place, reader, limits)
        # pynetdicom streams what arrives to a temporary file: here, not where all may look.
        before = tempfile.tempdir, _config.STORE_RECV_CHUNKED_DATASET
        tempfile.tempdir, _config.STORE_RECV_CHUNKED_DATASET = str(place), True
        entity = AE(TITLE)
        entity.acse_timeout = entity.dimse_timeout = entity.network_timeout = IDLE_SECONDS
        entity.add_supported_context(Verification)
        for sop_class in PICTURE_CLASSES:
            entity.add_supported_context(sop_class, TRANSFER_SYNTAXES)
        handlers = [
            (evt.EVT_C_STORE, inbox.store),
            (evt.EVT_CONN_OPEN, inbox.opened),
            (evt.EVT_DATA_RECV, inbox.count_bytes),
            (evt.EVT_DIMSE_RECV, inbox.message_done),
            (evt.EVT_CONN_CLOSE, inbox.closed),
        ]
        try:
            server = entity.start_server((ADDRESS, port), block=False, evt_handlers=handlers)
            try:
                yield server, inbox
            finally:
                server.shutdown()
        except OSError as error:
            raise ServerUnavailable(
                f"Port {port} of {ADDRESS} cannot be opened ({error.strerror}).",
                "Choose another: make receive PORT=11113 ...",
            ) from None
        finally:
            tempfile.tempdir, _config.STORE_RECV_CHUNKED_DATASET = before


def main(arguments: list[str] | None = None) -> int:
    """Receive until Ctrl-C or SIGTERM; then say how many came."""
    parser = argparse.ArgumentParser(description="Receive pictures by C-STORE on loopback.")
    parser.add_argument("folder", type=Path, help="the cohort folder")
    parser.add_argument("hospital", help="code: letters, digits, _ and -")
    parser.add_argument("--port", type=int, default=PORT)
    options = parser.parse_args(arguments)
    if not HOSPITAL.fullmatch(options.hospital):
        parser.error("the hospital's code may have 1 to 32 letters, digits, _ and -")
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", datefmt="%H:%M:%S")
    ended = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: ended.set())
    try:
        with serving(options.folder, options.hospital, options.port, ReadLimits()) as (
            server,
            inbox,
        ):
            port = server.server_address[1]
            logger.info("receiving at %s port %d as %s; Ctrl-C ends", ADDRESS, port, TITLE)
            ended.wait()
    except DlreError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    numbers = inbox.numbers
    logger.info(
        "%d received, %d already there, %d refused",
        *(numbers[name] for name in ("received", "already_there", "refused")),
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
