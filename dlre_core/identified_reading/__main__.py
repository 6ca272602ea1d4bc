"""Open the room of identified pictures: ``python -m dlre_core.identified_reading HOSPITAL``; ``make read`` calls it."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from dlre_core.foundation.errors import DlreError
from dlre_core.identified_reading.identified_room import Cohort, IdentifiedServer
from dlre_core.identified_reading.tables_by_hand import SQUARES
from dlre_core.identified_reading.unlocated_pictures import IdentifiedPictures, unlocated_files
from dlre_core.patients.cohort_folder import cohort_folder, hospital_codes
from dlre_core.reading.__main__ import cohort_section, opened, serve
from dlre_core.reading.readings_file import held_by_one
from dlre_core.screen_kinds.reading_settings import reading_settings
from dlre_core.workflow.configuration import CONFIGURATION, SCHEMA, checked_section, expand_home

# Where ingestion's private lists are without a configuration.
PRIVATE = ".dlre"


def private_folder() -> Path:
    """Folder of what never leaves this machine: the one that the key's file is in."""
    config = {"privacy": checked_section(CONFIGURATION, SCHEMA, "privacy")}
    expand_home(config)
    return Path(config["privacy"].get("key_file", f"{PRIVATE}/key")).parent


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until Ctrl+C; status 2 with a sentence where it cannot."""
    parser = argparse.ArgumentParser(prog="make read IDENTIFIED=1", description="Squares and profiles by hand.")
    parser.add_argument("hospital", nargs="?", default="")
    parser.add_argument("--folder", default="", help="the cohort folder, where config.yaml does not name it")
    parser.add_argument("--private", type=Path, help="folder of ingestion's private lists")
    parser.add_argument("--port", type=int, default=0)
    return opened(_read, parser.parse_args(arguments), "The page")


def _read(options: argparse.Namespace) -> None:
    section = cohort_section(options.folder)
    folder, hospitals = Path(cohort_folder(section)), hospital_codes(section)
    if options.hospital not in hospitals:
        raise DlreError(f"HOSPITAL={options.hospital}: the cohort has {', '.join(hospitals)}.", "Name one of them.")
    settings = reading_settings()
    files = unlocated_files(folder, options.hospital, options.private or private_folder(), settings.limits)
    if not files:
        sys.stdout.write(f"Every picture of hospital {options.hospital} was located, or is none.\n")
        return
    cohort = Cohort(folder, options.hospital, settings)
    with (
        held_by_one(folder / SQUARES),
        IdentifiedPictures(files, settings.limits) as pictures,
        IdentifiedServer(files, pictures, cohort, options.port) as server,
    ):
        words = f"{len(files)} pictures, with whatever names are on them. Squares are saved in {folder / SQUARES}"
        serve(server, words)


if __name__ == "__main__":
    sys.exit(main())
