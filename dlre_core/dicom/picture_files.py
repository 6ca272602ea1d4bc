"""Read PNG, JPEG, BMP and TIFF files: pixels only, since what else they hold may name the patient."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps
from PIL.TiffImagePlugin import TiffImageFile

from dlre_core.dicom.pixel_decoding import damage_means
from dlre_core.dicom.reader import Header, JudgedPlace, ReadLimits, SweImage, opened_stream, read_dicom
from dlre_core.dicom.reader import read_header as read_dicom_header
from dlre_core.dicom.reject_reasons import Reason, Unusable

DICOM_MARK, DICOM_MARK_AT = b"DICM", 128
START_BYTES = 132
KINDS = {
    b"\x89PNG\r\n\x1a\n": "PNG",
    b"\xff\xd8\xff": "JPEG",
    b"II*\0": "TIFF",
    b"MM\0*": "TIFF",
}
BMP, BMP_RESERVED, BMP_HEADER_SIZES = b"BM", slice(6, 10), (12, 40, 52, 56, 64, 108, 124)
# AVI and other RIFF, Matroska and WebM, ASF and WMV, MPEG program streams, Flash video.
FILMS = (b"\x1aE\xdf\xa3", b"0&\xb2u\x8ef\xcf\x11", b"\0\0\1\xba", b"\0\0\1\xb3", b"FLV\1")
# GIF, JPEG 2000 and its codestream, JPEG XL, Photoshop, big TIFF.
OTHER_PICTURES = (
    b"GIF8",
    b"\0\0\0\x0cjP  ",
    b"\xff\x4f\xff\x51",
    b"\xff\x0a",
    b"\0\0\0\x0cJXL ",
    b"8BPS",
    b"II+\0",
    b"MM\0+",
)
# Brands of ISO media files that are single pictures.
STILL_BRANDS = (b"hei", b"hev", b"mif1", b"msf1", b"avi")
NAMED_AS_PICTURE = re.compile(
    r"\.(png|jpe?g|jfif|bmp|dib|tiff?|gif|webp|hei[cf]|avif|jp2|j2k|psd|avi|mp4|m4v|mov|wmv|mkv|webm|mpe?g)$",
    re.IGNORECASE,
)
# Kept by macOS beside a file on another disk.
RESOURCE_FORK = "._"
# Pillow's modes that hold a screen's colours as the screen had them.
MODES = ("1", "L", "LA", "P", "PA", "RGB", "RGBA", "RGBX", "YCbCr")
DEEP_GREY = ("I;16", "I;16L", "I;16B", "I;16N")
# TIFF tag NewSubfileType and its bit of a preview.
NEW_SUBFILE_TYPE, PREVIEW = 254, 1


def file_header(source: str | Path | BinaryIO) -> Header | None:
    """Ids and times of a DICOM file, or the header of a picture file, which names nobody and no time.

    Told by content alone. A picture file counts as derived, so that of two files of one acquisition the
    scanner's own counts.

    Returns
    -------
    Header or None
        None where the content is neither, or the index of a medium (DICOMDIR).

    Raises
    ------
    Unusable
        If it is DICOM but its header is damaged, a film, or a picture of another kind.
    """
    with opened_stream(source) as stream:
        start = _start(stream)
        kind = picture_kind(start)
        if kind:
            return Header("", "", None, 0, derived=True, lossy=kind == "JPEG")
        _refuse_by_start(start)
        return read_dicom_header(stream)


def file_images(
    source: str | Path | BinaryIO, limits: ReadLimits, judged: Sequence[JudgedPlace] = ()
) -> list[SweImage]:
    """Decode a DICOM file as `dlre_core.dicom.reader.read_dicom` does, or a picture file, upright, as RGB.

    Transparent parts are laid on black, palettes looked up, and of 16 bits the upper 8 are taken. Text, EXIF
    (but for the orientation) and colour profiles are not read.

    Parameters
    ----------
    source : path or seekable binary file
    limits : ReadLimits
        ``frames_per_file`` does not matter: a picture file with several pages is refused.
    judged : sequence of JudgedPlace
        As for `dlre_core.dicom.reader.read_dicom`.

    Returns
    -------
    list of SweImage
        One of a picture file; its ``transfer_syntax`` is PNG, JPEG, BMP or TIFF.

    Raises
    ------
    Unusable
        If it has no picture or several, is damaged, cannot be decoded, or is over the limits.
    """
    with opened_stream(source) as stream:
        start = _start(stream)
        kind = picture_kind(start)
        if not kind:
            _refuse_by_start(start)
            return read_dicom(stream, limits, judged)
        with damage_means(Reason.UNDECODABLE):
            pixels = _decoded(stream, kind, limits)
    return [
        SweImage(
            pixels=pixels,
            frame=1,
            frames=1,
            complete=True,
            transfer_syntax=kind,
            photometric_interpretation="",
            regions=(),
            opacity=None,
            scale=None,
        )
    ]


def picture_kind(start: bytes) -> str:
    """PNG, JPEG, BMP or TIFF by a file's first 132 bytes; empty for anything else, DICOM with a preamble included.

    Examples
    --------
    >>> picture_kind(b"\\x89PNG\\r\\n\\x1a\\n" + bytes(124)), picture_kind(b"BMI of all patients, height, weight")
    ('PNG', '')
    """
    # A preamble may be the start of a TIFF, so that both readers find a picture.
    if start[DICOM_MARK_AT:] == DICOM_MARK:
        return ""
    if start.startswith(BMP) and not any(start[BMP_RESERVED]):
        size = int.from_bytes(start[14:18], "little")
        return "BMP" if size in BMP_HEADER_SIZES else ""
    return next((kind for mark, kind in KINDS.items() if start.startswith(mark)), "")


def is_named_as_picture(name: str) -> bool:
    """Whether a file's name ends as those of pictures and films do.

    Examples
    --------
    >>> [is_named_as_picture(name) for name in ("a/IM1.PNG", "a/._IM1.PNG", "a/Thumbs.db")]
    [True, False, False]
    """
    last = re.split(r"[/\\]", name)[-1]
    return bool(NAMED_AS_PICTURE.search(last)) and not last.startswith(RESOURCE_FORK)


def _start(stream: BinaryIO) -> bytes:
    start = stream.read(START_BYTES)
    stream.seek(0)
    return start


def _refuse_by_start(start: bytes) -> None:
    """Refuse films, and pictures of a kind that is not read."""
    if start[DICOM_MARK_AT:] == DICOM_MARK:
        return
    media, brand = start[4:8] == b"ftyp", start[8:12]
    quicktime = start[4:8] in (b"moov", b"mdat", b"wide")
    riff = start[8:12] if start.startswith(b"RIFF") else b""
    if (media and not brand.startswith(STILL_BRANDS)) or quicktime or riff == b"AVI " or start.startswith(FILMS):
        raise Unusable(Reason.FILM)
    if media or riff == b"WEBP" or start.startswith(OTHER_PICTURES):
        raise Unusable(Reason.OTHER_PICTURE)


def _decoded(stream: BinaryIO, kind: str, limits: ReadLimits) -> NDArray[np.uint8]:
    try:
        picture = Image.open(stream, formats=[kind])
    except Image.DecompressionBombError:
        # Pillow's own limit, before ours can be asked.
        raise Unusable(Reason.TOO_MANY_PIXELS) from None
    if picture.width * picture.height > limits.pixels_per_frame:
        raise Unusable(Reason.TOO_MANY_PIXELS)
    _seek_only_page(picture, kind, limits)
    if picture.mode not in (*MODES, *DEEP_GREY):
        raise Unusable(Reason.ODD_COLOURS)
    picture.load()
    return _upright_rgb(picture)


def _seek_only_page(picture: Image.Image, kind: str, limits: ReadLimits) -> None:
    """Go to the only page of a TIFF, previews aside; refuse more, and a PNG that moves.

    Further pictures in a JPEG are a camera's previews.
    """
    pages = getattr(picture, "n_frames", 1)
    if pages > limits.frames_per_file:
        raise Unusable(Reason.TOO_MANY_PIXELS)
    if isinstance(picture, TiffImageFile):
        whole = [page for page in range(pages) if not _is_preview(picture, page)]
        if len(whole) > 1:
            raise Unusable(Reason.SEVERAL_PAGES)
        picture.seek(whole[0] if whole else 0)
    elif kind == "PNG" and pages > 1:
        raise Unusable(Reason.SEVERAL_PAGES)


def _is_preview(picture: TiffImageFile, page: int) -> bool:
    picture.seek(page)
    return bool(int(picture.tag_v2.get(NEW_SUBFILE_TYPE, 0)) & PREVIEW)


def _upright_rgb(picture: Image.Image) -> NDArray[np.uint8]:
    """As it is meant to be seen, (height, width, 3) uint8."""
    ImageOps.exif_transpose(picture, in_place=True)
    if picture.mode in DEEP_GREY:
        grey = (np.asarray(picture).astype(np.uint16) >> 8).astype(np.uint8)
        return np.repeat(grey[:, :, None], 3, axis=2)
    if not picture.has_transparency_data:
        return np.array(picture.convert("RGB"))
    shown = picture.convert("RGBA")
    black = Image.new("RGBA", shown.size, (0, 0, 0, 255))
    return np.array(Image.alpha_composite(black, shown).convert("RGB"))
