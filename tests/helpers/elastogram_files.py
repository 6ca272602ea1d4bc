"""Hand-drawn elastography screens and DICOM files around them, for tests of ingestion."""

import io
from functools import cache
from pathlib import Path

import numpy as np
import pydicom
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGLSLossless,
    RLELossless,
    UltrasoundImageStorage,
)

from dlre_core.elastography.colour_map import colour_table
from dlre_core.elastography.screen_layout import Rectangle

HEIGHT, WIDTH = 540, 720
TOP = Rectangle(156, 70, 544, 290)
BOTTOM = Rectangle(156, 296, 544, 516)
BOX = Rectangle(275, 125, 395, 225)
BAR = Rectangle(693, 71, 702, 180)


def draw_screen(
    seed: int = 0, fill: float = 1.0, position: float | None = None, *, labelled: bool = True
) -> NDArray[np.uint8]:
    """A 720 x 540 screen: two grey pictures, a coloured box in the upper one, the colour bar with its labels.

    ``fill`` is the share of the box's rows with colour; ``position`` a constant place on the map.
    """
    generator = np.random.default_rng(seed)
    screen = np.zeros((HEIGHT, WIDTH, 3), dtype=np.uint8)
    grey = generator.integers(20, 110, (TOP.height // 4, TOP.width // 4), dtype=np.uint8)
    grey = np.kron(grey, np.ones((4, 4), dtype=np.uint8))[:, :, None]
    for place in (TOP, BOTTOM):
        screen[place.top : place.bottom, place.left : place.right] = grey
    rows = round(fill * BOX.height)
    ramp = np.linspace(0.1, 0.8, BOX.width)[None, :] + generator.uniform(0, 0.1, (rows, 1))
    at = ramp if position is None else np.full((rows, BOX.width), position)
    colours = colour_table()[np.rint(at * 255).astype(int)]
    box = screen[BOX.top : BOX.top + rows, BOX.left : BOX.right]
    box[:] = (0.6 * colours + 0.4 * box).astype(np.uint8)
    bar = colour_table()[::-1][np.linspace(0, 255, BAR.height).astype(int)]
    screen[BAR.top : BAR.bottom, BAR.left : BAR.right] = bar[:, None]
    return np.maximum(screen, _labels()) if labelled else screen


@cache
def _labels() -> NDArray[np.uint8]:
    """The scale's labels on a black screen: 40 kPa above the bar, and 0 at its lower end."""
    image = Image.new("RGB", (WIDTH, HEIGHT))
    draw, colour = ImageDraw.Draw(image), (220, 220, 220)
    draw.text((BAR.left - 12, BAR.top - 5), "40 kPa", fill=colour, font=ImageFont.load_default(12), anchor="lb")
    draw.text((BAR.right + 4, BAR.bottom), "0", fill=colour, font=ImageFont.load_default(12), anchor="ls")
    return np.asarray(image)


def make_dataset(
    screen: NDArray[np.uint8],
    *,
    patient_id: str = "A0001",
    uid: str = "1.2.826.0.1.3680043.8.498.1",
    number: int = 1,
    clock: str = "101500",
    regions: bool = True,
) -> Dataset:
    """An uncompressed RGB data set around one picture (h, w, 3) or a clip (n, h, w, 3)."""
    dataset = Dataset()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.SOPClassUID, dataset.SOPInstanceUID = UltrasoundImageStorage, uid
    dataset.PatientID, dataset.InstanceNumber = patient_id, number
    dataset.AcquisitionDate, dataset.AcquisitionTime = "20160302", clock
    frames = screen if screen.ndim == 4 else screen[None]
    if len(frames) > 1:
        dataset.NumberOfFrames = len(frames)
    dataset.Rows, dataset.Columns, dataset.SamplesPerPixel = *frames.shape[1:3], 3
    dataset.PhotometricInterpretation, dataset.PlanarConfiguration = "RGB", 0
    dataset.BitsAllocated = dataset.BitsStored = 8
    dataset.HighBit, dataset.PixelRepresentation = 7, 0
    dataset.PixelData = frames.tobytes()
    if regions:
        dataset.SequenceOfUltrasoundRegions = [region(place) for place in (TOP, BOX, BOTTOM)]
    return dataset


def region(place: Rectangle) -> Dataset:
    """One region tag; its last row and column are inclusive."""
    item = Dataset()
    item.RegionSpatialFormat, item.RegionDataType, item.RegionFlags = 1, 1, 0
    item.RegionLocationMinX0, item.RegionLocationMinY0 = place.left, place.top
    item.RegionLocationMaxX1, item.RegionLocationMaxY1 = place.right - 1, place.bottom - 1
    item.PhysicalUnitsXDirection = item.PhysicalUnitsYDirection = 3
    item.PhysicalDeltaX = item.PhysicalDeltaY = 0.02
    return item


def save(dataset: Dataset, path: Path) -> Path:
    """Write the file and the folders above it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    dataset.save_as(path, enforce_file_format=True)
    return path


def write_elastogram(path: Path, seed: int = 0, **options: object) -> Path:
    """A sound elastogram that differs from others by its seed."""
    options.setdefault("uid", f"1.2.826.0.1.3680043.8.498.{seed + 1}")
    return save(make_dataset(draw_screen(seed), **options), path)


def encode(screen: NDArray[np.uint8], kind: str) -> tuple[Dataset, NDArray[np.uint8]]:
    """A data set in the transfer syntax and colour space ``kind``, and the picture it must give.

    What it must give comes from the picture itself or from Pillow, never from pydicom's decoders.
    """
    dataset, expected = make_dataset(screen), screen
    if kind == "planar":
        dataset.PlanarConfiguration = 1
        dataset.PixelData = np.ascontiguousarray(screen.transpose(2, 0, 1)).tobytes()
    elif kind in ("implicit", "big_endian", "deflated"):
        dataset.file_meta.TransferSyntaxUID = {
            "implicit": ImplicitVRLittleEndian,
            "big_endian": ExplicitVRBigEndian,
            "deflated": DeflatedExplicitVRLittleEndian,
        }[kind]
    elif kind in ("rle", "jpeg_ls", "jpeg_2000"):
        syntax = {"rle": RLELossless, "jpeg_ls": JPEGLSLossless, "jpeg_2000": JPEG2000Lossless}
        dataset.compress(syntax[kind], generate_instance_uid=False)
    elif kind == "ybr_full":
        ycbcr = np.asarray(Image.fromarray(screen).convert("YCbCr"))
        dataset.PhotometricInterpretation, dataset.PixelData = "YBR_FULL", ycbcr.tobytes()
        expected = np.asarray(Image.fromarray(ycbcr, "YCbCr").convert("RGB"))
    elif kind == "ybr_full_422":
        ycbcr = np.asarray(Image.fromarray(screen).convert("YCbCr")).copy()
        ycbcr[:, 1::2, 1:] = ycbcr[:, ::2, 1:]
        pairs = ycbcr.reshape(HEIGHT, WIDTH // 2, 2, 3)
        packed = np.stack([pairs[..., 0, 0], pairs[..., 1, 0], pairs[..., 0, 1], pairs[..., 0, 2]], axis=-1)
        dataset.PhotometricInterpretation, dataset.PixelData = "YBR_FULL_422", packed.tobytes()
        expected = np.asarray(Image.fromarray(ycbcr, "YCbCr").convert("RGB"))
    elif kind.startswith("jpeg_baseline"):
        expected = _baseline(dataset, screen, kind)
    elif kind in ("jpeg_2000_lossy", "jpeg_2000_rct"):
        expected = _jpeg_2000(dataset, screen, lossy=kind == "jpeg_2000_lossy")
    elif kind.startswith("palette"):
        expected = _palette(dataset, screen, 16 if kind.endswith("16") else 8)
    elif kind == "monochrome2":
        dataset.PhotometricInterpretation, dataset.SamplesPerPixel = "MONOCHROME2", 1
        del dataset.PlanarConfiguration
        dataset.PixelData = screen[..., 0].tobytes()
        expected = np.repeat(screen[..., :1], 3, axis=2)
    return dataset, expected


def _baseline(dataset: Dataset, screen: NDArray[np.uint8], kind: str) -> NDArray[np.uint8]:
    """JPEG baseline; ``..._called_rgb`` has a header that says RGB over a YCbCr frame."""
    subsampling = {"jpeg_baseline_420": "4:2:0", "jpeg_baseline_444": "4:4:4"}.get(kind, "4:2:2")
    buffer = io.BytesIO()
    keeps_rgb = kind in ("jpeg_baseline_rgb", "jpeg_baseline_unmarked_rgb")
    options = {"keep_rgb": True} if keeps_rgb else {"subsampling": subsampling}
    Image.fromarray(screen).save(buffer, "JPEG", quality=90, **options)
    content = buffer.getvalue()
    dataset.file_meta.TransferSyntaxUID = JPEGBaseline8Bit
    says_rgb = keeps_rgb or kind == "jpeg_baseline_called_rgb"
    dataset.PhotometricInterpretation = "RGB" if says_rgb else "YBR_FULL_422"
    content = _without_marks(content) if kind == "jpeg_baseline_unmarked_rgb" else content
    dataset.PixelData = encapsulate([content])
    dataset["PixelData"].VR = "OB"
    return np.asarray(Image.open(buffer).convert("RGB"))


def _without_marks(content: bytes) -> bytes:
    """A JPEG in RGB whose frame does not say so: no Adobe marker, components 1, 2 and 3."""
    start = content.index(b"\xff\xee")
    end = start + 2 + int.from_bytes(content[start + 2 : start + 4], "big")
    data = bytearray(content[:start] + content[end:])
    frame, scan = data.index(b"\xff\xc0"), data.index(b"\xff\xda")
    for number in range(3):
        data[frame + 10 + 3 * number] = data[scan + 5 + 2 * number] = number + 1
    return bytes(data)


def _jpeg_2000(dataset: Dataset, screen: NDArray[np.uint8], *, lossy: bool) -> NDArray[np.uint8]:
    buffer = io.BytesIO()
    layers = {"quality_layers": [8]} if lossy else {}
    Image.fromarray(screen).save(buffer, "JPEG2000", irreversible=lossy, mct=1, no_jp2=True, **layers)
    dataset.file_meta.TransferSyntaxUID = pydicom.uid.JPEG2000 if lossy else JPEG2000Lossless
    dataset.PhotometricInterpretation = "YBR_ICT" if lossy else "YBR_RCT"
    dataset.PixelData = encapsulate([buffer.getvalue()])
    dataset["PixelData"].VR = "OB"
    return np.asarray(Image.open(buffer).convert("RGB"))


def _palette(dataset: Dataset, screen: NDArray[np.uint8], bits: int) -> NDArray[np.uint8]:
    indexed = Image.fromarray(screen).quantize(256)
    table = np.zeros((256, 3), dtype=np.uint8)
    used = np.asarray(indexed.getpalette(), dtype=np.uint8).reshape(-1, 3)
    table[: len(used)] = used
    dataset.PhotometricInterpretation, dataset.SamplesPerPixel = "PALETTE COLOR", 1
    del dataset.PlanarConfiguration
    dataset.PixelData = np.asarray(indexed).tobytes()
    for channel, colour in enumerate(("Red", "Green", "Blue")):
        setattr(dataset, f"{colour}PaletteColorLookupTableDescriptor", [256, 0, bits])
        values = table[:, channel].astype("<u2") * 257 if bits == 16 else table[:, channel]
        setattr(dataset, f"{colour}PaletteColorLookupTableData", values.tobytes())
    return table[np.asarray(indexed)]


def screen_with_q_box(seed: int) -> np.ndarray:
    """A white circle in the middle of a ramp from 0.1 to 0.8 with 0.05 of noise on top: mean 20 kPa."""
    screen = draw_screen(seed)
    box = screen[BOX.top : BOX.bottom, BOX.left : BOX.right]
    rows, columns = np.indices(box.shape[:2])
    box[np.abs(np.hypot(rows - 49.5, columns - 59.5) - 47) < 0.8] = 255
    return screen
