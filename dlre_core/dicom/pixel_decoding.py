"""Decode the pixels of a DICOM file into RGB, whatever their compression and colour space."""

import io
import warnings
from collections.abc import Iterator
from typing import BinaryIO

import numpy as np
import pydicom
from numpy.typing import NDArray
from PIL import Image
from pydicom.dataset import Dataset
from pydicom.encaps import generate_frames
from pydicom.pixels import apply_color_lut, iter_pixels
from pydicom.uid import (
    UID,
    DeflatedExplicitVRLittleEndian,
    JPEG2000TransferSyntaxes,
    JPEGBaseline8Bit,
    JPEGExtended12Bit,
)

from dlre_core.dicom.header_fields import integer, text
from dlre_core.dicom.reject_reasons import Reason, Unusable


class damage_means:
    """Context manager: whatever a parser or decoder raises on its input means this reason.

    pydicom and the codecs raise nearly any exception on hostile input. Errors of the operating
    system pass, since they say something about the disk and not about the file.
    """

    def __init__(self, reason: Reason) -> None:
        self._reason = reason
        self._quiet = warnings.catch_warnings()

    def __enter__(self) -> None:
        self._quiet.__enter__()
        warnings.simplefilter("ignore")

    def __exit__(self, kind: type | None, error: BaseException | None, trace: object) -> None:
        self._quiet.__exit__(None, None, None)
        if isinstance(error, MemoryError):
            raise Unusable(Reason.OVER_MEMORY) from None
        from_system = isinstance(error, OSError) and error.errno is not None
        if isinstance(error, Exception) and not isinstance(error, Unusable) and not from_system:
            raise Unusable(self._reason) from None


def pictures(stream: BinaryIO, dataset: Dataset) -> Iterator[NDArray[np.uint8]]:
    """Frames in order, (height, width, 3) uint8 RGB, one at a time.

    Parameters
    ----------
    stream : seekable binary file
        Of the file, read frame by frame where that is possible.
    dataset : pydicom Dataset
        Its elements `dlre_core.dicom.reader.PICTURE_TAGS`; Number of Frames counts as it stands here.

    Raises
    ------
    Unusable
        At the first frame that cannot be decoded.
    """
    with damage_means(Reason.UNDECODABLE):
        syntax = dataset.file_meta.get("TransferSyntaxUID")
        extended = syntax == JPEGExtended12Bit and integer(dataset, "BitsStored", 8) == 8
        if syntax == JPEGBaseline8Bit or extended:
            yield from _baseline_pictures(stream, dataset)
            return
        frames = max(integer(dataset, "NumberOfFrames", 1), 1)
        # Only looked at, so uncompressed frames need not be copied.
        source = _pixel_source(stream, dataset)
        for frame in iter_pixels(source, view_only=True, number_of_frames=frames):
            yield _to_rgb(frame, dataset)


def _baseline_pictures(stream: BinaryIO, dataset: Dataset) -> Iterator[NDArray[np.uint8]]:
    """Frames of JPEG baseline, and of extended with 8 bits, through libjpeg-turbo.

    A frame's own markers (JFIF, Adobe, components named R, G and B) say whether it holds YCbCr or
    RGB; the header decides only where there are none. Headers are often wrong: the classic cause of
    green pictures.
    """
    stream.seek(0)
    whole = pydicom.dcmread(stream, force=True)
    frames = max(integer(dataset, "NumberOfFrames", 1), 1)
    size = (integer(dataset, "Columns", 0), integer(dataset, "Rows", 0))
    for data in generate_frames(whole.PixelData, number_of_frames=frames):
        picture = Image.open(io.BytesIO(data), formats=["JPEG"])
        if picture.size != size:
            raise ValueError(f"a frame of {picture.size} pixels in a file of {size}")
        marked = "jfif" in picture.info or "adobe_transform" in picture.info
        named = bytes(layer[0] for layer in picture.layer) == b"RGB"
        if text(dataset, "PhotometricInterpretation") == "RGB" and not marked and not named:
            # libjpeg would take it for YCbCr: ask for that, which is what is stored.
            picture.draft("YCbCr", None)
            yield np.asarray(picture)
        else:
            yield _to_rgb(np.asarray(picture if picture.mode == "L" else picture.convert("RGB")), dataset)


def _pixel_source(stream: BinaryIO, dataset: Dataset) -> BinaryIO | Dataset:
    """The file itself, read frame by frame, or all of it where it must be mended first."""
    syntax = dataset.file_meta.get("TransferSyntaxUID")
    samples = integer(dataset, "SamplesPerPixel", 0)
    photometric = text(dataset, "PhotometricInterpretation")
    whole = samples and photometric and (samples == 1 or "PlanarConfiguration" in dataset)
    doubtful = syntax in JPEG2000TransferSyntaxes and photometric.startswith("YBR_FULL")
    if syntax and whole and syntax != DeflatedExplicitVRLittleEndian and not doubtful:
        return stream
    stream.seek(0)
    mended = pydicom.dcmread(stream, force=True)
    frames = max(integer(dataset, "NumberOfFrames", 1), 1)
    if doubtful and _transforms_components(next(generate_frames(mended.PixelData, number_of_frames=frames))):
        # The codec gives RGB back, whatever an archive that compressed anew left in the header.
        mended.PhotometricInterpretation = "YBR_ICT"
    mended.file_meta.setdefault("TransferSyntaxUID", _guessed_syntax(mended))
    mended.setdefault("SamplesPerPixel", 1)
    colours = mended.SamplesPerPixel == 3
    if not text(mended, "PhotometricInterpretation"):
        mended.PhotometricInterpretation = "RGB" if colours else "MONOCHROME2"
    if colours:
        mended.setdefault("PlanarConfiguration", 0)
    return mended


def _transforms_components(codestream: bytes) -> bool:
    """True where a JPEG 2000 codestream holds RGB through its own colour transform (marker COD, PS3.5 8.2.4)."""
    at = codestream.find(b"\xff\x52")
    # Marker, length, coding style, progression, layers (two bytes), then the transform.
    return at >= 0 and codestream[at + 8 : at + 9] == b"\x01"


def _guessed_syntax(dataset: Dataset) -> UID:
    implicit, little = dataset.original_encoding
    if not little:
        return pydicom.uid.ExplicitVRBigEndian
    return pydicom.uid.ImplicitVRLittleEndian if implicit else pydicom.uid.ExplicitVRLittleEndian


def _to_rgb(frame: NDArray, dataset: Dataset) -> NDArray[np.uint8]:
    """One decoded frame as RGB; pydicom has turned YBR into RGB already."""
    kind = text(dataset, "PhotometricInterpretation")
    if kind == "PALETTE COLOR":
        frame = apply_color_lut(frame, dataset)
        # Some writers keep 8-bit colours in 16-bit tables.
        frame = frame if frame.dtype == np.uint8 or frame.max() < 256 else frame >> 8
        frame = frame.astype(np.uint8)
    elif frame.dtype != np.uint8 or frame.ndim == 2:
        stored = max(integer(dataset, "BitsStored", 8), 1)
        if stored != 8 or frame.dtype != np.uint8:
            scaled = frame.astype(np.float32) * np.float32(255 / (2**stored - 1))
            frame = np.clip(np.rint(scaled), 0, 255).astype(np.uint8)
    if frame.ndim == 2:
        frame = np.repeat((255 - frame if kind == "MONOCHROME1" else frame)[:, :, None], 3, axis=2)
    if frame.ndim != 3 or frame.shape[2] != 3 or kind.startswith("YBR_PARTIAL"):
        raise ValueError(f"{kind} of shape {frame.shape} is no picture")
    return frame
