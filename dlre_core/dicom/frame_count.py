"""How many frames a file holds that does not say so, from the length of its pixel data."""

import io
import struct
from collections.abc import Iterator
from typing import BinaryIO

import pydicom
from pydicom.dataset import Dataset
from pydicom.uid import DeflatedExplicitVRLittleEndian, RLELossless

from dlre_core.dicom.header_fields import integer, text

UNDEFINED = 0xFFFFFFFF
ITEM = b"\xfe\xff\x00\xe0"
# How a frame begins: JPEG and JPEG-LS, a JPEG 2000 codestream, and the same in its box.
STARTS = (b"\xff\xd8", b"\xff\x4f", b"\x00\x00\x00\x0c")


def frames_by_length(stream: BinaryIO, dataset: Dataset) -> int:
    """Number of frames of a file without Number of Frames (0028,0008).

    Uncompressed frames are counted by their length, compressed ones by the offset table, else by the
    fragments that begin as a frame does (PS3.5, A.4).

    Parameters
    ----------
    stream : seekable binary file
        At the element with the pixels, where parsing stopped.
    dataset : pydicom Dataset
        Its elements `dlre_core.dicom.reader.PICTURE_TAGS`.

    Returns
    -------
    int
        1 where it cannot be told.
    """
    syntax = dataset.file_meta.get("TransferSyntaxUID")
    if syntax == DeflatedExplicitVRLittleEndian:
        # The stream is compressed as a whole.
        stream.seek(0)
        return _uncompressed(len(pydicom.dcmread(stream, force=True).PixelData), dataset)
    implicit, little = dataset.original_encoding
    header = stream.read(8 if implicit else 12)
    if len(header) < 8:
        return 1
    (length,) = struct.unpack("<I" if little else ">I", header[-4:])
    if length != UNDEFINED:
        return _uncompressed(length, dataset)
    fragments = _fragments(stream)
    offsets = next(fragments, 0)
    if offsets > 4:
        return offsets // 4
    frames = 0
    for size in fragments:
        start = stream.read(min(size, 4))
        frames += syntax == RLELossless or start.startswith(STARTS)
    return max(frames, 1)


def _uncompressed(length: int, dataset: Dataset) -> int:
    """By the bytes of a frame; 1 where the header does not say how many they are."""
    samples = integer(dataset, "SamplesPerPixel", 0)
    bits = integer(dataset, "BitsAllocated", 0)
    # Two pixels share their colour.
    shared = text(dataset, "PhotometricInterpretation") == "YBR_FULL_422" and samples == 3
    pixels = integer(dataset, "Rows", 0) * integer(dataset, "Columns", 0)
    frame = pixels * (2 if shared else samples) * (bits // 8)
    return max(length // frame, 1) if frame > 0 else 1


def _fragments(stream: BinaryIO) -> Iterator[int]:
    """Lengths of the items of encapsulated pixel data, the offset table first; the stream at each one's content."""
    while True:
        head = stream.read(8)
        if len(head) < 8 or head[:4] != ITEM:
            return
        (length,) = struct.unpack("<I", head[4:])
        content = stream.tell()
        yield length
        stream.seek(content + length, io.SEEK_SET)
