"""Files that appear whole or not at all: written under another name, then renamed."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def make_folder(folder: str | Path, mode: int) -> None:
    """Make a folder and those above it that are missing, all with this mode."""
    # Path.mkdir gives the mode to the last one only.
    for part in (*reversed(Path(folder).parents), Path(folder)):
        part.mkdir(mode=mode, exist_ok=True)


@contextmanager
def written_whole(path: str | Path, *, private: bool = False) -> Iterator[Path]:
    """Give the name to write to; it takes ``path``'s place when the context ends well, else it goes.

    Missing folders are made. What a killed process left under that name is overwritten.

    Parameters
    ----------
    path : path
    private : bool
        Identities are in it: mode 0600 from the first byte, new folders 0700.
    """
    path = Path(path)
    make_folder(path.parent, 0o700 if private else 0o777)
    temporary = path.with_name(path.name + ".partial")
    if private:
        temporary.unlink(missing_ok=True)
        os.close(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    try:
        yield temporary
        os.replace(temporary, path)
    except BaseException as error:
        # On a full disk this also gives its room back.
        temporary.unlink(missing_ok=True)
        if isinstance(error, OSError) and error.filename is None:
            # A full disk is told without saying which.
            error.filename = str(path)
        raise
