"""The process that decodes: limited in memory and time, it may die without harm to the study.

Started by `dlre_core.dicom.guarded_reader` with two arguments: the limits as JSON and the descriptor of shared
memory. Each line of its standard input asks for one file; the answer is a line of JSON, and the pixels
it announces lie in the shared memory, one after the other. Nothing of a file's text but what `Header`
names ever leaves it.
"""

import contextlib
import io
import json
import lzma
import os
import resource
import shutil
import signal
import struct
import sys
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from dlre_core.dicom.picture_files import file_header, file_images
from dlre_core.dicom.reader import ReadLimits, SweImage, header_facts
from dlre_core.dicom.reject_reasons import Reason, Unusable
from dlre_core.elastography.screen_layout import Rectangle
from dlre_core.foundation.storage_faults import FULL

# Python with its libraries, and a frame in 64 bits with its copies while colours are converted.
BASE_BYTES = 1 << 30
BYTES_PER_PIXEL = 48
LARGE_READ = 1 << 20
# Said once, when everything is loaded: what goes wrong before it is no file's fault.
READY = b"ready\n"


def main() -> None:
    """Answer requests until the input ends."""
    limits, shared = ReadLimits(**json.loads(sys.argv[1])), int(sys.argv[2])
    memory = BASE_BYTES + BYTES_PER_PIXEL * limits.pixels_per_frame
    allowed = resource.getrlimit(resource.RLIMIT_AS)[1]
    if allowed != resource.RLIM_INFINITY:
        memory = min(memory, allowed)
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    # A dump would hold the patient's picture and name.
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    # Ours is the limit, and it is looked at before a picture is decoded.
    Image.MAX_IMAGE_PIXELS = limits.pixels_per_frame
    answers = sys.stdout.buffer
    answers.write(READY)
    answers.flush()
    archives = Archives(limits)
    for line in sys.stdin.buffer:
        request = json.loads(line)
        # The default action of SIGALRM ends the process, whatever a codec is doing.
        signal.setitimer(signal.ITIMER_REAL, limits.seconds_per_file)
        facts, pixels = _answer(request, limits, archives)
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

    Whoever reads them weaves channels together in half of NumPy's time (`dlre_core.elastography.colour_kernels.weave`).
    """
    planes = pixels.transpose(2, 0, 1)
    return planes if planes.flags.c_contiguous else np.ascontiguousarray(pixels)


def _answer(request: dict[str, Any], limits: ReadLimits, archives: "Archives") -> tuple[dict[str, Any], list]:
    try:
        with opened(request, archives) as stream:
            if request["what"] == "header":
                return {"header": header_facts(file_header(stream))}, []
            judged = [(Rectangle(*sides), weight) for *sides, weight in request["judged"]]
            images = file_images(stream, limits, judged)
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
    except OSError as error:
        if error.errno in FULL:
            return {"fault": "full"}, []
        return {"reason": Reason.UNREADABLE_FILE.code}, []


class Archives:
    """Members of archives; the last archive stays open, so that its directory is read once and not for each."""

    def __init__(self, limits: ReadLimits) -> None:
        self._limits = limits
        self._key: tuple[object, ...] = ()
        self._archive: zipfile.ZipFile | None = None

    def unpack(self, file: BoundedReader, member: int, target: BinaryIO) -> None:
        """Write a member of the archive ``file``, which this keeps or closes, to ``target``."""
        status = os.fstat(file.fileno())
        key = (status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns)
        try:
            if self._archive is not None and self._key == key:
                file.close()
            else:
                # Closes the last one: nothing else holds its file.
                self._archive, self._key = zipfile.ZipFile(file), key
            entry = self._archive.infolist()[member]
            if entry.file_size > self._limits.bytes_per_file:
                raise Unusable(Reason.TOO_LARGE)
            with self._archive.open(entry) as content:
                shutil.copyfileobj(content, target, LARGE_READ)
        # What Python's own unpacking raises on damaged, encrypted or unknown members.
        except (
            zipfile.BadZipFile,
            RuntimeError,
            NotImplementedError,
            ValueError,
            IndexError,
            OverflowError,
            EOFError,
            struct.error,
            zlib.error,
            lzma.LZMAError,
        ):
            raise Unusable(Reason.BAD_ARCHIVE) from None
        except OSError as error:
            # bz2 has no error of its own; the disk's have a number.
            if error.errno is None:
                raise Unusable(Reason.BAD_ARCHIVE) from None
            raise


@contextlib.contextmanager
def opened(request: dict[str, Any], archives: Archives) -> Iterator[BinaryIO]:
    """The file, or an archive's member unpacked into a file without a name."""
    path = os.fsencode(request["path"])
    # A pipe put there meanwhile would block a plain open; a link could lead anywhere.
    handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC)
    file = BoundedReader(io.FileIO(handle))
    if request["member"] is None:
        with file:
            yield file
        return
    with tempfile.TemporaryFile() as unpacked:
        archives.unpack(file, request["member"], unpacked)
        unpacked.flush()
        with BoundedReader(io.FileIO(os.dup(unpacked.fileno()))) as content:
            yield content


def _facts(image: SweImage) -> dict[str, Any]:
    facts = {name: value for name, value in vars(image).items() if name not in ("pixels", "regions", "scale")}
    return facts | {
        "height": image.pixels.shape[0],
        "width": image.pixels.shape[1],
        "regions": [asdict(region) for region in image.regions],
        "scale": image.scale and asdict(image.scale),
    }
