"""Read untrusted files through a process that may be killed, so that no file stops the study."""

import contextlib
import json
import os
import select
import signal
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from dlre_core.dicom import decoder_process
from dlre_core.dicom.file_search import FoundFile
from dlre_core.dicom.picture_files import is_named_as_picture
from dlre_core.dicom.reader import Header, JudgedPlace, ReadLimits, SweImage, header_of
from dlre_core.dicom.reject_reasons import Reason, Unusable
from dlre_core.elastography.colour_kernels import weave
from dlre_core.elastography.scale import Scale
from dlre_core.elastography.screen_layout import Rectangle, UltrasoundRegion
from dlre_core.foundation.errors import DecoderUnavailable, StorageError

ROOT = Path(__file__).parents[2]
# pydicom imports an HTTP client where it finds one, to download examples: a fifth of the start.
START = f"import sys; sys.modules['requests'] = None; from {decoder_process.__name__} import main; main()"
LONGEST_LINE = 1 << 20
LAST_BREATH_SECONDS = 5
# Libraries may lie on a slow network disk.
START_SECONDS = 300


class GuardedReader:
    """Context manager that reads files as `dlre_core.dicom.picture_files` does, in a process of its own.

    The process is started on the first file, kept, and started again after a file that crashed it,
    stalled it or ran it out of memory.

    Parameters
    ----------
    limits : ReadLimits

    Attributes
    ----------
    process : Popen or None
        None before the first file, and after one that ended it.
    """

    def __init__(self, limits: ReadLimits) -> None:
        self._limits = limits
        # Pictures come through memory that both processes have open, words through a pipe. It is read,
        # never mapped: a process that shrinks it meanwhile gives a short read and no crash.
        self._shared = os.memfd_create("pictures")
        self.process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stop()
        os.close(self._shared)

    def header(self, file: FoundFile) -> Header | None:
        """Ids and times of a file; None where it is neither DICOM nor a picture, and is not named as one.

        Raises
        ------
        Unusable
            If it cannot be read within the limits.
        """
        header = header_of(self.ask("header", file)["header"])
        if header is None and is_named_as_picture(file.name):
            raise Unusable(Reason.NOT_WHAT_IT_SAYS)
        return header

    def images(self, file: FoundFile, judged: Sequence[JudgedPlace] = ()) -> list[SweImage]:
        """The frames to choose from, the fullest first; one for a still.

        Parameters
        ----------
        file : FoundFile
        judged : sequence of JudgedPlace
            As for `dlre_core.dicom.reader.read_dicom`.

        Raises
        ------
        Unusable
            If there is none, or it cannot be decoded within the limits.
        """
        images = []
        at = 0
        for facts in self.ask("images", file, judged)["images"]:
            pixels = self._pixels(facts.pop("height"), facts.pop("width"), facts.pop("planar"), at)
            at += pixels.nbytes
            places = tuple(
                UltrasoundRegion(**{**region, "rectangle": Rectangle(**region["rectangle"])})
                for region in facts.pop("regions")
            )
            scale = facts.pop("scale")
            images.append(
                SweImage(pixels=pixels, regions=places, scale=None if scale is None else Scale(**scale), **facts)
            )
        return images

    def ask(self, what: str, file: FoundFile, judged: Sequence[JudgedPlace] = ()) -> dict[str, Any]:
        """The process's answer about a file, ``what`` being ``header`` or ``images``; pixels come through the memory.

        Raises
        ------
        Unusable
            If the process refuses the file, or the file ends it.
        StorageError
            If the disk of temporary files is full.
        """
        process = self._running()
        places = [(*vars(place).values(), weight) for place, weight in judged]
        request = {"what": what, "path": os.path.abspath(file.path), "member": file.member, "judged": places}
        try:
            process.stdin.write(json.dumps(request).encode() + b"\n")
            process.stdin.flush()
            line = process.stdout.readline(LONGEST_LINE)
        except BrokenPipeError:
            line = b""
        if not line.endswith(b"\n"):
            raise self._death()
        facts = json.loads(line)
        if "fault" in facts:
            raise StorageError(
                f"The disk of temporary files ({tempfile.gettempdir()}) is full: an archive could not be unpacked.",
                "Free some space there, or name another folder by TMPDIR, and give the same command again.",
            )
        if "reason" in facts:
            reason = Reason[facts["reason"].upper()]
            if reason is Reason.OVER_MEMORY:
                # What it has left may not do for the next file.
                self._stop()
            raise Unusable(reason)
        return facts

    def _pixels(self, height: int, width: int, planar: bool, at: int) -> NDArray[np.uint8]:
        pixels = np.empty((3, height, width) if planar else (height, width, 3), dtype=np.uint8)
        rest = memoryview(pixels).cast("B")
        while rest:
            count = os.preadv(self._shared, [rest], at)
            if not count:
                raise self._death()
            rest, at = rest[count:], at + count
        if not planar:
            return pixels
        woven = np.empty((height, width, 3), dtype=np.uint8)
        weave(pixels, woven)
        return woven

    def _running(self) -> subprocess.Popen[bytes]:
        if self.process is None:
            quiet = {name: "1" for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS")}
            limits = json.dumps(asdict(self._limits))
            self.process = subprocess.Popen(
                [sys.executable, "-c", START, limits, str(self._shared)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                # Warnings of parsers and codecs quote what they read: names and ids.
                stderr=subprocess.DEVNULL,
                cwd="/",
                pass_fds=(self._shared,),
                env={**os.environ, **quiet, "PYTHONPATH": str(ROOT)},
            )
            if not _says_ready(self.process):
                self._stop()
                raise DecoderUnavailable(
                    "The process that decodes pictures does not start.",
                    "See whether a limit of memory (ulimit -v) is in its way, or make the environment anew "
                    "(make environment).",
                )
        return self.process

    def _death(self) -> Unusable:
        """Why the process ended, as the file's reason; next time it is to be tried again."""
        process, self.process = self.process, None
        try:
            status = process.wait(timeout=LAST_BREATH_SECONDS)
        except subprocess.TimeoutExpired:
            # It lives, but what it said is no answer.
            process.kill()
            process.wait()
            status = 0
        _close(process)
        ends = {-signal.SIGALRM: Reason.TOO_SLOW, -signal.SIGKILL: Reason.OVER_MEMORY}
        return Unusable(ends.get(status, Reason.UNDECODABLE), passing=True)

    def _stop(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            _close(self.process)
            self.process = None


def _says_ready(process: subprocess.Popen[bytes]) -> bool:
    said, _, _ = select.select([process.stdout], [], [], START_SECONDS)
    return bool(said) and process.stdout.readline(LONGEST_LINE) == decoder_process.READY


def _close(process: subprocess.Popen[bytes]) -> None:
    process.stdout.close()
    # Closing flushes what a dead process did not take.
    with contextlib.suppress(BrokenPipeError):
        process.stdin.close()
