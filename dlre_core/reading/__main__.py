"""Open the reading room: ``python -m dlre_core.reading READER``; ``make read`` calls it."""

import argparse
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

from dlre_core.foundation.errors import DlreError
from dlre_core.patients.cohort_folder import cohort_folder, hospital_codes
from dlre_core.reading.consensus_session import consensus_session
from dlre_core.reading.reading_order import reading_order
from dlre_core.reading.reading_room import ReadingServer, Room
from dlre_core.reading.reading_session import ReadingSession
from dlre_core.reading.readings_file import CONSENSUS, Readings, check_reader, held_by_one, readings_path
from dlre_core.reading.server import LocalServer
from dlre_core.reading.shown_pictures import PictureFiles, stored_pictures
from dlre_core.workflow.configuration import CONFIGURATION, SCHEMA, checked_section, expand_home


def cohort_section(folder: str) -> dict[str, object]:
    """The section ``cohort`` of the configuration, or of a ``folder`` that is named instead."""
    if folder:
        return {"source": "folder", "folder": folder}
    config = {"cohort": checked_section(CONFIGURATION, SCHEMA, "cohort")}
    expand_home(config)
    return config["cohort"]


def opened(read: Callable[[argparse.Namespace], None], options: argparse.Namespace, name: str) -> int:
    """Open a room by ``read``; status 2 with a sentence where it cannot."""
    try:
        read(options)
    except DlreError as error:
        sys.stdout.write(f"{error}\n")
        return 2
    except OSError as error:
        sys.stdout.write(f"{name} cannot be opened: {error}.\n")
        return 2
    return 0


def serve(server: LocalServer, words: str) -> None:
    """Say where the page is, and answer until Ctrl+C."""
    sys.stdout.write(f"{words}\nOpen {server.address}\n(on this machine only, once; end with Ctrl+C)\n")
    sys.stdout.flush()
    with suppress(KeyboardInterrupt):
        server.serve_forever()


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until Ctrl+C; status 2 with a sentence where it cannot."""
    parser = argparse.ArgumentParser(prog="make read", description="Read a study's pictures in the browser.")
    parser.add_argument("reader", nargs="?", default="")
    parser.add_argument("--consensus", action="store_true", help="only what two readers disagree about")
    parser.add_argument("--hospital", default="", help="only this one's pictures")
    parser.add_argument("--folder", default="", help="the cohort folder, where config.yaml does not name it")
    parser.add_argument("--store", type=Path, default=Path("results/store"))
    parser.add_argument("--port", type=int, default=0)
    return opened(_read, parser.parse_args(arguments), "The reading room")


def _read(options: argparse.Namespace) -> None:
    reader = CONSENSUS if options.consensus else check_reader(options.reader)
    section = cohort_section(options.folder)
    folder, hospitals = cohort_folder(section), hospital_codes(section)
    if options.hospital and options.hospital not in hospitals:
        raise DlreError(f"HOSPITAL={options.hospital}: the cohort has {', '.join(hospitals)}.", "Name one of them.")
    pictures = stored_pictures(options.store, [options.hospital] if options.hospital else hospitals)
    path = readings_path(folder, reader)
    with held_by_one(path), PictureFiles(pictures) as files:
        if options.consensus:
            session = consensus_session(pictures, folder, Readings(path))
        else:
            order = reading_order([(picture.patient, picture.image_id) for picture in pictures], reader)
            session = ReadingSession(pictures, order, Readings(path))
        title = f"Hospital {options.hospital}" if options.hospital else "All hospitals"
        room = Room(reader, title, section["source"] == "simulated", options.consensus)
        with ReadingServer(session, files, room, options.port) as server:
            progress = session.progress()
            serve(server, f"{progress['read']} of {progress['total']} read; answers are saved in {path}")


if __name__ == "__main__":
    sys.exit(main())
