"""Ultrasound screens with colours but without an elastogram: Doppler, tinted B-mode, empty elastography, and pages."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw
from scipy import ndimage

from dlre_core.elastography.screen_layout import Rectangle
from dlre_core.simulation.bmode import Look, PictureGeometry, simulate_bmode
from dlre_core.simulation.other_screens import CONFIDENCE_COLOURS, font_of
from dlre_core.simulation.screen import STATEMENT
from dlre_core.simulation.screen_designs import map_colours

KINDS = (
    "colour_doppler",
    "colour_flash",
    "power_doppler",
    "tinted_bmode",
    "plain_bmode",
    "bar_without_box",
    "quality_map_alone",
    "measurement_page",
)
SIZES = ((720, 540), (800, 600), (960, 720), (1024, 768), (1280, 960), (1400, 1050), (1440, 1080))
TINTS = ((255, 190, 110), (150, 180, 255), (225, 200, 160), (190, 255, 200))
FONTS = ("default", "DejaVuSans", "DejaVuSansMono")
GREY_TEXT, YELLOW = (210, 210, 210), (255, 196, 0)
# Towards the probe red to yellow, away from it blue to cyan, nothing in the middle.
_FLOW = np.array(
    [(90, 255, 255), (0, 120, 255), (0, 0, 150), (0, 0, 0), (150, 0, 0), (255, 90, 0), (255, 255, 80)], dtype=float
)
_POWER = np.array([(0, 0, 0), (120, 0, 20), (220, 70, 0), (255, 170, 0), (255, 245, 160)], dtype=float)


@dataclass(frozen=True)
class _Canvas:
    """What all kinds draw on: the screen, the picture's place, and where a bar goes."""

    image: Image.Image
    picture: Rectangle
    bar: Rectangle
    font: str
    generator: np.random.Generator

    @property
    def draw(self) -> ImageDraw.ImageDraw:
        return ImageDraw.Draw(self.image)

    @property
    def size(self) -> int:
        """Height of text, pixels."""
        return max(10, self.image.height // 55)


def foreign_screen(kind: str, seed: int) -> NDArray[np.uint8]:
    """A screen on which there is no elastogram.

    Parameters
    ----------
    kind : str
        One of `KINDS`. "bar_without_box" has an elastograph's colour bar and coloured signs, but no box.
    seed : int

    Returns
    -------
    (height, width, 3) uint8
    """
    generator = np.random.default_rng([seed, KINDS.index(kind)])
    columns, rows = SIZES[generator.integers(len(SIZES))]
    image = Image.new("RGB", (columns, rows))
    left, top = round(columns * generator.uniform(0.13, 0.2)), round(rows * generator.uniform(0.1, 0.14))
    picture = Rectangle(left, top, round(columns * generator.uniform(0.74, 0.82)), round(rows * 0.92))
    at_left = generator.random() < 0.5
    bar_left = round(columns * (0.02 if at_left else 0.92))
    bar_top = round(rows * generator.uniform(0.15, 0.22))
    width, height = round(columns * 0.013), round(rows * generator.uniform(0.2, 0.3))
    bar = Rectangle(bar_left, bar_top, bar_left + width, bar_top + height)
    canvas = _Canvas(image, picture, bar, FONTS[generator.integers(len(FONTS))], generator)
    _frame(canvas)
    if kind == "measurement_page":
        _measurement_page(canvas)
        return np.array(image)
    grey = _grey(canvas)
    tint = TINTS[generator.integers(len(TINTS))] if kind == "tinted_bmode" else (255, 255, 255)
    shown = np.rint(np.arange(256)[:, None] * np.array(tint)[None, :] / 255).astype(np.uint8)[grey]
    if kind in ("colour_doppler", "colour_flash", "power_doppler"):
        _doppler(canvas, shown, kind)
    elif kind == "bar_without_box":
        names = ("ssi", "vtiq", "jet", "violet")
        _bar(canvas, map_colours(names[generator.integers(len(names))])[::-1], "40 kPa", "0")
        _signs(canvas)
    elif kind == "quality_map_alone":
        _quality_map(canvas, shown)
    else:
        _bar(canvas, np.repeat(np.arange(255, -1, -1)[:, None], 3, axis=1), "", "")
    image.paste(Image.fromarray(shown), (picture.left, picture.top))
    return np.array(image)


def _frame(canvas: _Canvas) -> None:
    """Header and texts, all invented, and the statement."""
    draw, size, columns = canvas.draw, canvas.size, canvas.image.width
    number = int(canvas.generator.integers(1, 1000))
    font = font_of(canvas.font, size)
    draw.text((10, 6), f"SIM^Z{number:04d}  Z{number:04d}", fill=GREY_TEXT, font=font)
    draw.text((columns * 0.3, 6), "Simulated Hospital Z", fill=GREY_TEXT, font=font)
    draw.text((columns * 0.3, 10 + size), STATEMENT, fill=YELLOW, font=font)
    for line, text in enumerate(("C5-1", "FR 14 Hz", "8.0 cm", "2D 61%", "C 55")):
        draw.text((6, canvas.image.height * 0.55 + 1.4 * size * line), text, fill=GREY_TEXT, font=font)


def _grey(canvas: _Canvas) -> NDArray[np.uint8]:
    generator, picture = canvas.generator, canvas.picture
    depth = float(generator.choice([80.0, 100.0, 140.0]))
    geometry = PictureGeometry(picture.height, picture.width, depth)
    look = Look(generator.uniform(0.82, 1), generator.uniform(0.1, 0.22), generator.uniform(27, 32), 3.2)
    return simulate_bmode(geometry, look, generator.uniform(11, 20), generator)


def _bar(canvas: _Canvas, colours: NDArray[np.uint8], above: str, below: str) -> None:
    """A bar of colours from top to bottom, with what stands above and below it."""
    bar, size = canvas.bar, canvas.size
    at = np.rint(np.linspace(0, len(colours) - 1, bar.height)).astype(int)
    strip = np.repeat(colours[at][:, None], bar.width, axis=1).astype(np.uint8)
    canvas.image.paste(Image.fromarray(strip), (bar.left, bar.top))
    font = font_of(canvas.font, size)
    canvas.draw.text((bar.left - 6, bar.top - 6), above, fill=GREY_TEXT, font=font, anchor="ls")
    canvas.draw.text((bar.left - 6, bar.bottom + 6), below, fill=GREY_TEXT, font=font, anchor="lt")


def _table(nodes: NDArray[np.float64]) -> NDArray[np.uint8]:
    at = np.linspace(0, len(nodes) - 1, 256)
    return np.rint(np.stack([np.interp(at, np.arange(len(nodes)), nodes[:, c]) for c in range(3)], axis=1)).astype(
        np.uint8
    )


def _smooth(generator: np.random.Generator, shape: tuple[int, int], cells: int) -> NDArray[np.float64]:
    """A smooth random field of unit variance with so many cells across."""
    rows = max(3, round(cells * shape[0] / shape[1]))
    coarse = generator.standard_normal((rows, cells))
    fine = ndimage.zoom(coarse, (shape[0] / rows, shape[1] / cells), order=3)[: shape[0], : shape[1]]
    return fine / fine.std()


def _doppler(canvas: _Canvas, shown: NDArray[np.uint8], kind: str) -> None:
    """A Doppler box with vessels, or all full of a movement's flash (mutates ``shown``)."""
    generator = canvas.generator
    height, width = shown.shape[:2]
    top, left = round(height * generator.uniform(0.2, 0.4)), round(width * generator.uniform(0.2, 0.35))
    bottom, right = round(height * generator.uniform(0.65, 0.85)), round(width * generator.uniform(0.62, 0.8))
    box = shown[top:bottom, left:right]
    field = _smooth(generator, box.shape[:2], 10)
    if kind == "colour_flash":
        velocity = np.clip(0.5 + 0.3 * field, 0, 1)
        flowing = np.ones(field.shape, bool)
    else:
        # Vessels lie along the zero line of a coarser field.
        course = _smooth(generator, box.shape[:2], 5)
        flowing = np.abs(course) < generator.uniform(0.12, 0.35)
        velocity = np.clip(0.5 + np.sign(field) * generator.uniform(0.15, 0.5) * (1 - np.abs(course) / 0.4), 0, 1)
    power = kind == "power_doppler"
    table = _table(_POWER if power else _FLOW)
    index = np.abs(2 * velocity - 1) if power else velocity
    box[flowing] = table[np.rint(index[flowing] * 255).astype(int)]
    colour = ((235, 235, 235), (80, 230, 80), (250, 220, 60))[generator.integers(3)]
    box[[0, -1]] = colour
    box[:, [0, -1]] = colour
    limit = generator.integers(8, 60)
    _bar(canvas, table[::-1], "" if power else f"+{limit}", "" if power else f"-{limit} cm/s")


def _signs(canvas: _Canvas) -> None:
    """Coloured signs and buttons beside the picture."""
    generator, image = canvas.generator, canvas.image
    draw, size = canvas.draw, canvas.size
    for number in range(5):
        colour = tuple(int(value) for value in generator.integers(0, 256, 3))
        left, top = round(image.width * 0.84), round(image.height * (0.55 + 0.07 * number))
        draw.rounded_rectangle((left, top, left + 3 * size, top + 2 * size), size // 2, fill=colour)
    colours = map_colours("jet")[np.linspace(0, 1023, 4 * size).astype(int)]
    sign = np.repeat(colours[None], 2 * size, axis=0)
    image.paste(Image.fromarray(sign), (round(image.width * 0.84), round(image.height * 0.45)))


def _quality_map(canvas: _Canvas, shown: NDArray[np.uint8]) -> None:
    """A map of confidence in three hues, the only coloured picture (mutates ``shown``)."""
    generator = canvas.generator
    height, width = shown.shape[:2]
    place = (slice(round(height * 0.3), round(height * 0.7)), slice(round(width * 0.3), round(width * 0.66)))
    patch = shown[place]
    grade = np.digitize(_smooth(generator, patch.shape[:2], 8) + 1.2, (0.0, 1.0))
    shown[place] = np.rint(0.6 * CONFIDENCE_COLOURS[grade] + 0.4 * patch).astype(np.uint8)
    shown[place][[0, -1]] = 235
    shown[place][:, [0, -1]] = 235
    _bar(canvas, np.repeat(CONFIDENCE_COLOURS[::-1], 32, axis=0), "High", "Low")


def _measurement_page(canvas: _Canvas) -> None:
    """A page of numbers with coloured buttons and a chart."""
    generator, picture, draw = canvas.generator, canvas.picture, canvas.draw
    font = font_of(canvas.font, canvas.size)
    step = round(1.8 * canvas.size)
    for line in range(picture.height // step // 2):
        value = f"E{line + 1}   {generator.uniform(3, 30):.1f} kPa   {generator.uniform(1, 3):.2f} m/s"
        draw.text((picture.left, picture.top + line * step), value, fill=GREY_TEXT, font=font)
    base = picture.bottom - 10
    for number, height in enumerate(generator.uniform(0.05, 0.4, 8)):
        left = picture.left + number * 3 * canvas.size
        colour = tuple(int(value) for value in map_colours("jet")[generator.integers(1024)])
        draw.rectangle((left, base - height * picture.height, left + 2 * canvas.size, base), fill=colour)
    _signs(canvas)
