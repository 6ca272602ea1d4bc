"""How well other makers' screens are read: ``python benchmarks/other_screens.py [screens] [without]``.

For every design of the simulator, uncompressed and as JPEG of quality 90: how many boxes are found, how well they
overlap with the truth, the error of stiffness as a share of the full scale with the true scale, how many scales are
read and misread, twins and stiff ends, and the processor time. And how many of the screens without an elastogram, the
kinds of ``simulation.foreign_screens``, are given a box.
"""

import io
import sys
import time
from collections import defaultdict
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from dlre_core.elastography.elastogram import read_box, stiffness_map
from dlre_core.elastography.scale import Scale
from dlre_core.elastography.screen_layout import Rectangle, ScreenLayout
from dlre_core.foundation.errors import MissingRegion
from dlre_core.screens.finding import find_screen
from dlre_core.screens.scale_label import read_labels
from dlre_core.simulation.foreign_screens import KINDS, foreign_screen
from dlre_core.simulation.other_screens import DrawnScreen, example_screen
from dlre_core.simulation.screen_designs import DESIGNS

HEADER = (
    "| design | quality | box found | IoU median | 1st percentile | stiffness error, % of scale, median "
    "| 95th percentile | scale read | misread | twin right | stiff end right | ms |"
)


def overlap(first: Rectangle, second: Rectangle) -> float:
    """Intersection over union of two rectangles."""
    common = first.common(second)
    shared = common.width * common.height
    return shared / (first.width * first.height + second.width * second.height - shared)


def encoded(screen: NDArray[np.uint8], quality: int | None) -> NDArray[np.uint8]:
    """The screen after JPEG of a quality; None leaves it."""
    if quality is None:
        return screen
    buffer = io.BytesIO()
    Image.fromarray(screen).save(buffer, "JPEG", quality=quality)
    return np.asarray(Image.open(buffer))


def stiffness_error(screen: NDArray[np.uint8], layout: ScreenLayout, drawn: DrawnScreen) -> float:
    """Median error in the true box, as a share of the full scale, of pixels inside the scale.

    On a bar in m/s errors are those of the speed, in which its colours are even.
    """
    layout = replace(layout, box=drawn.box)
    scale = Scale(drawn.scale.low, drawn.scale.high, drawn.scale.unit, "label")
    read = stiffness_map(read_box(screen, layout), scale).astype(np.float64)
    truth = drawn.kpa.astype(np.float64)
    if scale.unit != "kPa":
        read, truth = (np.sqrt(values / 3) for values in (read, truth))
    inside = drawn.coloured & ~np.isnan(read) & (truth > scale.low) & (truth < 0.97 * scale.high)
    if not inside.any():
        return np.nan
    return float(np.median(np.abs(read - truth)[inside]) / (scale.high - scale.low))


def measure(drawn: DrawnScreen, quality: int | None, figures: dict[str, list[float]]) -> None:
    """Add a screen's figures by column (mutated); ``found`` of all, others of those that are found."""
    screen = encoded(drawn.screen, quality)
    start = time.process_time()
    try:
        layout = find_screen(screen)
    except MissingRegion:
        figures["found"].append(0.0)
        return
    figures["milliseconds"].append(1000 * (time.process_time() - start))
    figures["found"].append(1.0)
    figures["overlap"].append(overlap(layout.box, drawn.box))
    figures["error"].append(stiffness_error(screen, layout, drawn))
    labels = read_labels(screen, layout.colour_bar)
    truth = (drawn.scale.low, drawn.scale.high, drawn.scale.unit)
    same = labels is not None and (labels.low, labels.high, labels.unit) == truth
    figures["read"].append(float(same))
    figures["misread"].append(float(labels is not None and not same))
    figures["twin"].append(float(_twin_right(layout, drawn)))
    figures["stiff_end"].append(float(layout.stiff_end == drawn.stiff_end))


def count_false_boxes(kind: str, screens: int) -> int:
    """How many of a kind of screen without an elastogram are given a box."""
    found = 0
    for seed in range(screens):
        try:
            find_screen(foreign_screen(kind, seed))
            found += 1
        except MissingRegion:
            continue
    return found


def _twin_right(layout: ScreenLayout, drawn: DrawnScreen) -> bool:
    if layout.twin is None or drawn.twin is None:
        return layout.twin is drawn.twin
    found, true = (
        (twin.left - picture.left, twin.top - picture.top)
        for twin, picture in ((layout.twin, layout.elastogram), (drawn.twin, drawn.elastogram))
    )
    return found == true


def row_of(name: str, quality: int | None, figures: dict[str, list[float]]) -> str:
    """A design's row of the table."""
    given, found = "plain" if quality is None else f"JPEG {quality}", figures["found"]
    if not any(found):
        return f"| {name} | {given} | 0 of {len(found)} |" + " |" * 9
    errors = 100 * np.array(figures["error"])[~np.isnan(figures["error"])]
    cells = (
        name,
        given,
        f"{sum(found):.0f} of {len(found)}",
        f"{np.median(figures['overlap']):.3f}",
        f"{np.percentile(figures['overlap'], 1):.3f}",
        f"{np.median(errors):.2f}",
        f"{np.percentile(errors, 95):.2f}",
        f"{np.mean(figures['read']):.0%}",
        f"{sum(figures['misread']):.0f}",
        f"{np.mean(figures['twin']):.0%}",
        f"{np.mean(figures['stiff_end']):.0%}",
        f"{np.median(figures['milliseconds']):.0f}",
    )
    return "| " + " | ".join(cells) + " |"


def main() -> None:
    """Print the tables."""
    screens = int(sys.argv[1]) if len(sys.argv) > 1 else 500
    without = int(sys.argv[2]) if len(sys.argv) > 2 else 10_000
    print(HEADER + "\n|" + "---|" * HEADER.count(" | ") + "---|")
    for name in sorted(DESIGNS):
        figures = {quality: defaultdict(list) for quality in (None, 90)}
        for seed in range(screens):
            drawn = example_screen(name, seed)
            for quality, own in figures.items():
                measure(drawn, quality, own)
        for quality, own in figures.items():
            print(row_of(name, quality, own), flush=True)
    each = max(without // len(KINDS), 1)
    print("\n| screens without an elastogram | given a box |\n|---|---|")
    for kind in KINDS:
        print(f"| {kind} | {count_false_boxes(kind, each)} of {each} |", flush=True)


if __name__ == "__main__":
    main()
