"""The process that decodes: limited in memory and time, it may die without harm to the study.

Started by `dlre_core.dicom_guard` with two arguments: the limits as JSON and the descriptor of shared
memory. Each line of its standard input asks for one file; the answer is a line of JSON, and the pixels
it announces lie in the shared memory, one after the other. Nothing of a file's text but what `Header`
names ever leaves it.
"""

import contextlib
import io
import json
import os
import resource
import shutil
import signal
import sys
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from dlre_core.dicom import ReadLimits, SweImage, header_facts, read_dicom, read_header
from dlre_core.rejects import Reason, Unusable

# Python with its libraries, and a frame in 64 bits with its copies while colours are converted.
BASE_BYTES = 1 << 30
BYTES_PER_PIXEL = 48
LARGE_READ = 1 << 20


def main() -> None:
    """Answer requests until the input ends."""
    limits, shared = ReadLimits(**json.loads(sys.argv[1])), int(sys.argv[2])
    memory = BASE_BYTES + BYTES_PER_PIXEL * limits.pixels_per_frame
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    # A dump would hold the patient's picture and name.
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    answers = sys.stdout.buffer
    for line in sys.stdin.buffer:
        request = json.loads(line)
        # The default action of SIGALRM ends the process, whatever a codec is doing.
        signal.setitimer(signal.ITIMER_REAL, limits.seconds_per_file)
        facts, pixels = _answer(request, limits)
        signal.setitimer(signal.ITIMER_REAL, 0)
        at = 0
        for picture in pixels:
            at += _place(shared, memoryview(picture).cast("B"), at)
        answers.write(json.dumps(facts).encode() + b"\n")
        answers.flush()


class BoundedReader(io.BufferedReader):
    """A file of which no read asks for more memory than the rest of it: a damaged length may say 4 GB."""

    def read(self, size: int | None = -1) -> bytes:
        """At most ``size`` bytes; all that is left where it is negative or None."""
        if size is not None and size > LARGE_READ:
            size = min(size, max(os.fstat(self.fileno()).st_size - self.tell(), 0))
        return super().read(size)


def _place(shared: int, content: memoryview, at: int) -> int:
    """Write all of ``content`` at an offset; one call writes 2 GB at most."""
    done = 0
    while done < len(content):
        done += os.pwrite(shared, content[done:], at + done)
    return done


def _as_stored(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Contiguous: (3, height, width) where the file keeps channels apart, as RLE does, else as they are.

    Whoever reads them weaves channels together in half of NumPy's time (`dlre_core.colour_kernels.weave`).
    """
    planes = pixels.transpose(2, 0, 1)
    return planes if planes.flags.c_contiguous else np.ascontiguousarray(pixels)


def _answer(request: dict[str, Any], limits: ReadLimits) -> tuple[dict[str, Any], list]:
    try:
        with opened(request, limits) as stream:
            if request["what"] == "header":
                return {"header": header_facts(read_header(stream))}, []
            images = read_dicom(stream, limits)
            stored = [_as_stored(image.pixels) for image in images]
            facts = [
                _facts(image) | {"planar": pixels.shape != image.pixels.shape}
                for image, pixels in zip(images, stored, strict=True)
            ]
            return {"images": facts}, stored
    except Unusable as unusable:
        return {"reason": unusable.reason.code}, []
    except MemoryError:
        return {"reason": Reason.OVER_MEMORY.code}, []
    except OSError:
        return {"reason": Reason.UNREADABLE_FILE.code}, []


@contextlib.contextmanager
def opened(request: dict[str, Any], limits: ReadLimits) -> Iterator[BinaryIO]:
    """The file, or an archive's member unpacked into a file without a name."""
    path = os.fsencode(request["path"])
    # A pipe put there meanwhile would block a plain open; a link could lead anywhere.
    handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC)
    with BoundedReader(io.FileIO(handle)) as file:
        if request["member"] is None:
            yield file
            return
        with tempfile.TemporaryFile() as unpacked:
            _unpack(file, request["member"], unpacked, limits)
            unpacked.flush()
            with BoundedReader(io.FileIO(os.dup(unpacked.fileno()))) as content:
                yield content


def _unpack(file: BinaryIO, member: int, target: BinaryIO, limits: ReadLimits) -> None:
    try:
        with zipfile.ZipFile(file) as archive:
            entry = archive.infolist()[member]
            if entry.file_size > limits.bytes_per_file:
                raise Unusable(Reason.TOO_LARGE)
            with archive.open(entry) as content:
                shutil.copyfileobj(content, target, 1 << 20)
    # What Python's own unpacking raises on damaged, encrypted or unknown members.
    except (
        zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, NotImplementedError, ValueError,
        IndexError, OverflowError,
    ):  # fmt: skip
        raise Unusable(Reason.BAD_ARCHIVE) from None


def _facts(image: SweImage) -> dict[str, Any]:
    facts = {
        name: value for name, value in vars(image).items() if name not in ("pixels", "regions")
    }
    return facts | {
        "height": image.pixels.shape[0],
        "width": image.pixels.shape[1],
        "regions": [asdict(region) for region in image.regions],
    }
