"""Read the full scale that is burned in above the colour bar, such as ``40 kPa`` or ``≥150 kPa``.

Single glyphs are compared with those of a few common fonts. What is not read with confidence is not read:
nothing is guessed from half a label. Nobody here could try it on a real liver export; the fonts of real
screens are not known.
"""

from functools import cache
from pathlib import Path

import matplotlib
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont
from scipy import ndimage

from dlre_core.elastography.screen_layout import NATIVE_WIDTH, Rectangle

# Above the colour bar, on the native screen of 1440 columns.
PLACE = Rectangle(1310, 92, 1440, 141)
FULL_SCALES_KPA = frozenset(
    {10, 15, 20, 25, 30, 35, 40, 45, 50, 60, 70, 75, 80, 90, 100, 120, 150, 180, 200, 240, 250, 300}
)
UNIT = "kPa"
CHARACTERS = "0123456789kPa≥>"
GLYPH_SIZE = (12, 18)
LEAST_TEXT_HEIGHT = 6
LEAST_CONTRAST = 60
# Correlation of a glyph with the best character's, and how much worse the next character must be.
LEAST_SCORE = 0.8
LEAST_LEAD = 0.04
LARGEST_CHANGE_OF_SHAPE = 1.5


def read_scale_label(screen: NDArray[np.uint8]) -> float | None:
    """Full scale of the colour bar in kPa, as its label says.

    Parameters
    ----------
    screen : (height, width, 3) uint8

    Returns
    -------
    float or None
        None where there is no label, or any of its characters is in doubt.
    """
    scale = screen.shape[1] / NATIVE_WIDTH
    sides = (PLACE.left, PLACE.top, PLACE.right, PLACE.bottom)
    place = Rectangle(*(round(side * scale) for side in sides)).clamped(*screen.shape[:2])
    # Text is white or yellow: its brightest channel stands out.
    light = screen[place.top : place.bottom, place.left : place.right].max(axis=2, initial=0)
    if not light.size or int(light.max()) - int(np.median(light)) < LEAST_CONTRAST:
        return None
    for line in _lines(light.astype(np.float32) - np.median(light)):
        words = "".join(_character(glyph) for glyph in line)
        digits = words.removesuffix(UNIT).lstrip("≥>")
        if words.endswith(UNIT) and digits.isascii() and digits.isdigit():
            return float(digits) if int(digits) in FULL_SCALES_KPA else None
    return None


def _lines(light: NDArray[np.float32]) -> list[list[NDArray[np.float32]]]:
    """Glyphs by line of text, left to right; what touches the edge may be cut and is left out."""
    height, width = light.shape
    labels, _ = ndimage.label(light > light.max() / 2.5, structure=np.ones((3, 3)))
    found = []
    for rows, columns in ndimage.find_objects(labels):
        inside = rows.start > 0 and columns.start > 0 and rows.stop < height and columns.stop < width
        if inside and rows.stop - rows.start >= LEAST_TEXT_HEIGHT / 2:
            found.append((rows, columns))
    lines: list[list[tuple[slice, slice]]] = []
    for place in sorted(found, key=lambda place: place[1].start):
        middle = (place[0].start + place[0].stop) / 2
        line = next((n for n in lines if n[-1][0].start <= middle <= n[-1][0].stop), None)
        if line is None:
            lines.append([place])
        else:
            line.append(place)
    return [[_glyph(light, *place) for place in line] for line in lines if _is_text(line)]


def _is_text(line: list[tuple[slice, slice]]) -> bool:
    return max(rows.stop - rows.start for rows, _ in line) >= LEAST_TEXT_HEIGHT


def _glyph(light: NDArray[np.float32], rows: slice, columns: slice) -> NDArray[np.float32]:
    """The glyph with the grey pixels around it."""
    return light[max(rows.start - 1, 0) : rows.stop + 1, max(columns.start - 1, 0) : columns.stop + 1].clip(0)


def _character(glyph: NDArray[np.float32]) -> str:
    """The character, or ``?`` where it is in doubt."""
    shape, form = _normal(glyph)
    shapes, forms = _templates()
    fits = np.maximum(shapes / shape, shape / shapes) <= LARGEST_CHANGE_OF_SHAPE
    # By character, the best of all fonts.
    scores = np.where(fits, np.einsum("ij,j", forms, form) / form.size, -1.0).reshape(len(CHARACTERS), -1).max(axis=1)
    second, first = np.argsort(scores)[-2:]
    sure = scores[first] >= LEAST_SCORE and scores[first] - scores[second] >= LEAST_LEAD
    return CHARACTERS[first] if sure else "?"


def _normal(glyph: NDArray[np.float32]) -> tuple[float, NDArray[np.float32]]:
    """Width by height of the ink, and the pixels at `GLYPH_SIZE` with mean 0 and variance 1."""
    ink = glyph > glyph.max() / 2.5
    rows, columns = np.flatnonzero(ink.any(axis=1)), np.flatnonzero(ink.any(axis=0))
    tight = glyph[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    small = Image.fromarray(tight).resize(GLYPH_SIZE, Image.Resampling.BILINEAR)
    form = np.asarray(small, dtype=np.float32)
    form = (form - form.mean()) / max(float(form.std()), 1e-6)
    return tight.shape[1] / tight.shape[0], form.ravel()


@cache
def _templates() -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Shapes ``(n,)`` and forms ``(n, pixels)``: each character in every font, small and large."""
    folder = Path(matplotlib.get_data_path()) / "fonts" / "ttf"
    names = ("DejaVuSans.ttf", "DejaVuSans-Bold.ttf", "DejaVuSansMono.ttf")
    shapes, forms = [], []
    for character in CHARACTERS:
        for size in (9, 13, 18, 26):
            fonts = [ImageFont.truetype(folder / name, size) for name in names]
            for font in (ImageFont.load_default(size), *fonts):
                image = Image.new("L", (2 * size, 2 * size))
                ImageDraw.Draw(image).text((size // 2, size // 4), character, fill=255, font=font)
                shape, form = _normal(np.asarray(image, dtype=np.float32))
                shapes.append(shape)
                forms.append(form)
    return np.array(shapes), np.stack(forms)
