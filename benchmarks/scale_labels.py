"""Labels of colour bars in fonts that the reader does not know: ``python benchmarks/scale_labels.py [tries]``.

Draws bars with labels as scanners print them (over an end, at both ends, beside ticks), at 720 to 1440 columns, plain
and as JPEG of quality 90 and 75, and with labels that are no scale: of other units, or of ends that no scanner has.
Fonts are those of this machine and Matplotlib's, but for the ones that the reader compares with.
"""

import io
import sys
from collections import Counter
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import matplotlib
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from dlre_core.elastography.colour_map import colour_table
from dlre_core.elastography.screen_layout import Rectangle
from dlre_core.screens.scale_label import FONTS, HIGH_ENDS, LOW_ENDS, LabelledScale, read_labels

SYSTEM_FONTS = Path("/usr/share/fonts")
# No scanner's label is set in these.
ODD = ("Symbol", "Dingbat", "D050", "Z003", "Display", "LastResort", "NonUni", "STIXSiz", "cmex", "cmmi", "cmsy")
WIDTHS = (720, 800, 960, 972, 1024, 1280, 1440)
QUALITIES = (None, 90, 75)
COLOURS = ((220, 220, 220), (150, 150, 150), (255, 255, 0), (255, 255, 255))
NO_SCALES = {"kPa": (17, 23, 36, 64, 77, 110, 130, 333, 400), "m/s": (1.3, 3.2, 4.7, 11, 12)}
OTHER_UNITS = ("cm/s", "dB", "Hz")


@dataclass(frozen=True)
class DrawnLabels:
    """A screen (height, width, 3) uint8, its bar, and what the labels say; None where they are no scale."""

    screen: NDArray[np.uint8]
    bar: Rectangle
    truth: LabelledScale | None


@cache
def fonts(of_machine: bool = True) -> tuple[str, ...]:
    """Files of fonts: Matplotlib's, which are the same everywhere, and those of the machine."""
    own = Path(matplotlib.get_data_path()) / "fonts" / "ttf"
    found = [path for path in sorted(own.glob("*.ttf")) if path.name not in FONTS]
    if of_machine:
        found += [path for path in sorted(SYSTEM_FONTS.rglob("*.[to]tf")) if path.name not in FONTS]
    return tuple(str(path) for path in found if not any(word in path.name for word in ODD))


def drawn_labels(seed: int, of_machine: bool = True) -> DrawnLabels:
    """Labels of a bar; the same seed draws the same ones on a machine, and everywhere without its fonts."""
    rng = np.random.default_rng(seed)
    font = ImageFont.truetype(str(rng.choice(fonts(of_machine))), int(rng.integers(13, 23)))
    unit = "kPa" if rng.random() < 0.6 else "m/s"
    high, low = float(rng.choice(HIGH_ENDS[unit])), float(rng.choice(LOW_ENDS[unit]))
    first, kind, fate = bool(rng.random() < 0.8), int(rng.integers(4)), rng.random()
    low = low if kind else 0.0
    printed, truth = unit, LabelledScale(low, high, unit, first)
    if fate < 0.1:
        printed, truth = str(rng.choice(OTHER_UNITS)), None
    elif fate < 0.2:
        high, truth = float(rng.choice(NO_SCALES[unit])), None
    length, thickness = int(rng.integers(180, 420)), int(rng.integers(14, 30))
    x, y = int(rng.integers(250, 1150)), int(rng.integers(120, 500))
    table = colour_table(length)
    screen = np.zeros((1080, 1440, 3), dtype=np.uint8)
    screen[y : y + length, x : x + thickness] = (table[::-1] if first else table)[:, None]
    image = Image.fromarray(screen)
    draw, colour = ImageDraw.Draw(image), COLOURS[rng.integers(len(COLOURS))]

    def put(text: str, column: float, row: float, anchor: str) -> None:
        draw.text((column, row), text, fill=colour, font=font, anchor=anchor)

    def row_of(value: float) -> float:
        share = (value - low) / (high - low)
        return y + length * (1 - share if first else share)

    middle, right = x + thickness / 2, x + thickness + 6
    top, bottom = (high, low) if first else (low, high)
    if kind == 0:
        sign = str(rng.choice(["", "≥", "> "]))
        put(f"{sign}{high:g} {printed}", middle + 20, y - 6 if first else y + length + 6, "mb" if first else "mt")
        parts = [n for n in (2, 3, 4, 5, 6) if abs(2 * high / n - round(2 * high / n)) < 1e-9] or [1]
        number = int(rng.choice(parts))
        for k in range(1, number):
            put(f"{high * k / number:g}", right, row_of(high * k / number), "lm")
    elif kind == 1:
        put(f"{top:g}", middle, y - 6, "mb")
        put(f"{bottom:g} {printed}", middle + 12, y + length + 6, "mt")
    elif kind == 2:
        put(printed, middle, y - 14, "mb")
        for value in (low, high, (low + high) / 2):
            put(f"{value:g}", right, row_of(value), "lm")
    else:
        put(f"{top:g} {printed}", right, y + 2, "lt")
        put(f"{bottom:g} {printed}" if rng.random() < 0.5 else f"{bottom:g}", right, y + length - 2, "lb")
    width, quality = int(rng.choice(WIDTHS)), QUALITIES[rng.integers(len(QUALITIES))]
    scale = width / 1440
    image = image.resize((width, round(1080 * scale)), Image.Resampling.BILINEAR)
    if quality is not None:
        buffer = io.BytesIO()
        image.save(buffer, "JPEG", quality=quality)
        image = Image.open(buffer)
    bar = Rectangle(x, y, x + thickness, y + length).scaled(scale)
    return DrawnLabels(np.asarray(image.convert("RGB")), bar, truth)


def reads(drawn: DrawnLabels) -> str:
    """``read``, ``not read``, or ``misread``."""
    found = read_labels(drawn.screen, drawn.bar)
    if found is None:
        return "not read"
    return "read" if found == drawn.truth else "misread"


def main() -> None:
    """Count."""
    tries = int(sys.argv[1]) if len(sys.argv) > 1 else 3000
    counts: Counter[tuple[str, bool]] = Counter()
    for seed in range(tries):
        drawn = drawn_labels(seed)
        outcome = reads(drawn)
        counts[outcome, drawn.truth is not None] += 1
        if outcome == "misread":
            print(f"misread: seed {seed}, {drawn.truth}")
    scales = sum(number for (_, is_scale), number in counts.items() if is_scale)
    print(f"{len(fonts())} fonts, {tries} bars, {scales} with a scale")
    print(f"read {counts['read', True]}, misread {counts['misread', True] + counts['misread', False]}")


if __name__ == "__main__":
    main()
