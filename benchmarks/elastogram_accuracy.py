"""Box, stiffness and Q-Box against the simulator's truth, and screens that must get no box.

PYTHONPATH=. python benchmarks/elastogram_accuracy.py --screens 500 --without 10000
"""

import argparse
import io
from collections import defaultdict
from datetime import date

import numpy as np
from PIL import Image

from benchmarks.real_ultrasound import real_pictures
from dlre_core.elastography.elastogram import find_layout, read_box, stiffness_map
from dlre_core.elastography.q_box import measure_q_box
from dlre_core.elastography.scale import Scale
from dlre_core.elastography.screen_layout import (
    BOTTOM_PICTURE,
    TOP_PICTURE,
    Rectangle,
    ScreenLayout,
    UltrasoundRegion,
)
from dlre_core.foundation.errors import MissingRegion
from dlre_core.screens.finding import find_screen
from dlre_core.simulation.bmode import Look, PictureGeometry, simulate_bmode
from dlre_core.simulation.screen import Captions, Placement, Rendered, render
from dlre_core.simulation.texture import Nuisance, simulate_field

LOOK = Look(contrast=0.9, attenuation_db_mm=0.15, offset_db=30, gain=3.2)
FULL_SCALE_KPA = 40.0
SCALE = Scale(0.0, FULL_SCALE_KPA, "kPa", "label")
WIDTHS = (1440, 1280, 1024, 800, 720)
NO_BOX = (
    "noise",
    "blurred colours",
    "both pictures grey",
    "vessels in both pictures",
    "small vessels in the upper picture",
    "the same, colour bar shifted",
    "real ultrasound",
    "real ultrasound, colour bar beside it",
    "real ultrasound in both pictures of a screen",
)
REAL, KINDS = 6, len(NO_BOX)


def draw_screen(generator: np.random.Generator, opacity: float) -> Rendered:
    """A screen anywhere in the range: depth, place, soft to stiff, well to partly filled."""
    depth = float(generator.choice([60.0, 80.0, 100.0, 120.0, 150.0]))
    geometry = PictureGeometry(TOP_PICTURE.height, TOP_PICTURE.width, depth)
    kpa = float(np.exp(generator.uniform(np.log(3), np.log(35))))
    # A heavier body stands for a worse signal: about half the box to all of it is filled.
    field = simulate_field(
        kpa, generator.uniform(0, 2), Nuisance(0, 0, 22.8 + generator.uniform(0, 15)), False, generator
    )
    grey = simulate_bmode(geometry, LOOK, 16.0, generator)
    place = Placement(
        generator.uniform(15, min(depth - 33, 60)),
        generator.uniform(-0.15, 0.15),
        generator.normal(0, 1.5),
        generator.normal(-1, 1.5),
    )
    captions = Captions("Simulated Hospital A", "A0001", "SIM^A0001", str(date(2015, 1, 1)), 1)
    return render(field, grey, geometry, place, captions, opacity, FULL_SCALE_KPA)


def exported(screen: np.ndarray, width: int, quality: int | None) -> np.ndarray:
    """The screen as an archive hands it out: smaller, and as JPEG 4:2:2 with a quality."""
    image = Image.fromarray(screen)
    if width != image.width:
        image = image.resize((width, width * 3 // 4), Image.Resampling.BILINEAR)
    if quality is None:
        return np.asarray(image)
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=quality, subsampling="4:2:2")
    return np.asarray(Image.open(buffer))


def overlap(a: Rectangle, b: Rectangle) -> float:
    """Intersection over union."""
    width = min(a.right, b.right) - max(a.left, b.left)
    height = min(a.bottom, b.bottom) - max(a.top, b.top)
    common = max(width, 0) * max(height, 0)
    return common / (a.width * a.height + b.width * b.height - common)


def scaled(box: Rectangle, scale: float) -> Rectangle:
    """The box on a smaller screen."""
    return Rectangle(*(round(s * scale) for s in (box.left, box.top, box.right, box.bottom)))


def region_tags(box: Rectangle, scale: float) -> list[UltrasoundRegion]:
    """Sound tags of a screen."""
    kinds = ((TOP_PICTURE, 1), (box, 2), (BOTTOM_PICTURE, 1))
    return [UltrasoundRegion(scaled(place, scale), 1, kind, None) for place, kind in kinds]


def measure_screens(n: int, seed: int = 0) -> dict[str, list[float]]:
    """Errors of ``n`` drawn screens, by what is measured."""
    found: dict[str, list[float]] = defaultdict(list)
    for k in range(n):
        generator = np.random.default_rng([seed, k])
        opacity = 0.5 if k % 2 else float(generator.uniform(0.3, 1.0))
        rendered = draw_screen(generator, opacity)
        for quality in (None, 90):
            form = "uncompressed" if quality is None else "JPEG 90"
            width = int(generator.choice(WIDTHS))
            screen, scale = exported(rendered.screen, width, quality), width / 1440
            truth = scaled(rendered.box, scale)
            for source, tags in (("tags", region_tags(rendered.box, scale)), ("pixels", [])):
                try:
                    layout = find_layout(screen, tags)
                except MissingRegion:
                    found[f"IoU, {source}, {form}"].append(0.0)
                    continue
                found[f"IoU, {source}, {form}"].append(overlap(layout.box, truth))
                if source == "pixels":
                    _q_box(found, screen, layout, rendered, opacity, form)
            if k % 2:
                _stiffness(found, exported(rendered.screen, 1440, quality), rendered, form)
    return found


def _stiffness(found: dict[str, list[float]], screen: np.ndarray, rendered: Rendered, form: str) -> None:
    layout = find_layout(screen, region_tags(rendered.box, 1.0))
    kpa = stiffness_map(read_box(screen, layout, 0.5), SCALE)
    both = rendered.coloured & ~np.isnan(kpa)
    error = np.abs(kpa[both] - np.minimum(rendered.kpa[both], FULL_SCALE_KPA)) / FULL_SCALE_KPA
    for share, what in ((50, "median"), (99, "99 % of pixels below")):
        found[f"kPa error at 50 %, {what}, share of full scale, {form}"].append(float(np.percentile(error, share)))


def _q_box(
    found: dict[str, list[float]],
    screen: np.ndarray,
    layout: ScreenLayout,
    rendered: Rendered,
    opacity: float,
    form: str,
) -> None:
    """Is the circle found and its mean right? A truth with too little signal has no mean."""
    kpa = stiffness_map(read_box(screen, layout, opacity), SCALE)
    q_box = measure_q_box(screen, layout, kpa)
    found[f"Q-Box found, {form}"].append(float(q_box is not None))
    if q_box is not None and rendered.q_box[2] < 0.95 * FULL_SCALE_KPA:
        scale = screen.shape[1] / 1440
        away = np.array([q_box.centre_row, q_box.centre_column]) + 0.5
        away -= (np.array(rendered.q_box_centre) + 0.5) * scale
        found[f"Q-Box centre error, pixels, {form}"].append(float(np.hypot(*away)))
        found[f"Q-Box mean error, share, {form}"].append(abs(q_box.mean_kpa - rendered.q_box[0]) / rendered.q_box[0])


def screen_without_box(generator: np.random.Generator, base: Rendered, real: list[np.ndarray]) -> np.ndarray:
    """A picture that is no elastogram: grey, Doppler, random, a spoiled screen, or real."""
    kind = int(generator.integers(KINDS))
    screen = base.screen.copy()
    top, bottom = (screen[p.top : p.bottom, p.left : p.right] for p in (TOP_PICTURE, BOTTOM_PICTURE))
    if kind == 0:
        return generator.integers(0, 256, (540, 720, 3), dtype=np.uint8)
    if kind == 1:
        blocks = generator.integers(0, 256, (18, 24, 3), dtype=np.uint8)
        return np.asarray(Image.fromarray(blocks).resize((1440, 1080), Image.Resampling.BICUBIC))
    if kind >= REAL:
        return _real(generator, kind, screen, real[int(generator.integers(len(real)))])
    shared = min(len(top), len(bottom))
    top, bottom = top[:shared], bottom[:shared]
    top[:] = bottom
    if kind == 2:
        return screen
    rows, columns = np.indices(top.shape[:2])
    for picture in (top, bottom) if kind == 3 else (top,):
        for _ in range(int(generator.integers(1, 30))):
            # Vessels in red and blue: on both pictures, or small ones on the upper.
            row, column = generator.integers(0, top.shape[0]), generator.integers(0, top.shape[1])
            size = generator.uniform(15, 60) if kind == 3 else generator.uniform(1, 11)
            inside = np.hypot(rows - row, columns - column) < size
            picture[inside] = (220, 30, 20) if generator.random() < 0.5 else (20, 40, 220)
    if kind == 5:
        screen[:, 1360:] = np.roll(screen[:, 1360:], int(generator.integers(60, 1000)), axis=0)
    return screen


def _real(generator: np.random.Generator, kind: int, screen: np.ndarray, real: np.ndarray) -> np.ndarray:
    """A real ultrasound picture: alone at a size, or with this screen's colour bar, or in both pictures."""
    image = Image.fromarray(real[:, :: int(generator.choice([1, -1]))])
    if kind == REAL:
        width = int(generator.choice([image.width, *WIDTHS]))
        return np.asarray(image.resize((width, max(1, width * image.height // image.width))))
    if kind == REAL + 1:
        whole = np.array(image.resize((1440, 1080)))
        whole[:, 1360:] = screen[:, 1360:]
        return whole
    # Any part of the picture, so that the coloured one comes to lie anywhere.
    side = generator.uniform(0.4, 1.0) * np.array(image.size)
    left, top = generator.uniform(0, 1, 2) * (np.array(image.size) - side)
    part = image.crop((int(left), int(top), int(left + side[0]), int(top + side[1])))
    for place in (TOP_PICTURE, BOTTOM_PICTURE):
        screen[place.top : place.bottom, place.left : place.right] = part.resize((place.width, place.height))
    return screen


def count_false_boxes(n: int, seed: int = 1) -> dict[int, tuple[int, int]]:
    """How many pictures without a box were tried and were given one, by kind (``n`` in all)."""
    base = [draw_screen(np.random.default_rng([seed, 0, k]), 0.5) for k in range(8)]
    real = list(real_pictures())
    given: dict[int, tuple[int, int]] = {}
    for k in range(n):
        generator = np.random.default_rng([seed, 1, k])
        kind = int(np.random.default_rng([seed, 1, k]).integers(KINDS))
        tried, wrong = given.get(kind, (0, 0))
        try:
            find_screen(screen_without_box(generator, base[k % 8], real))
            wrong += 1
        except MissingRegion:
            pass
        given[kind] = (tried + 1, wrong)
    return dict(sorted(given.items()))


def main() -> None:
    """Print Markdown tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--screens", type=int, default=500)
    parser.add_argument("--without", type=int, default=10000)
    parser.add_argument("--seed", type=int, default=1, help="of the pictures without a box")
    options = parser.parse_args()
    print("| what | screens | median | 1st percentile | 99th percentile | worst |")
    print("|---|---|---|---|---|---|")
    for what, values in sorted(measure_screens(options.screens).items()):
        low, middle, high = np.percentile(values, [1, 50, 99])
        worst = min(values) if what.startswith(("IoU", "Q-Box found")) else max(values)
        print(f"| {what} | {len(values)} | {middle:.4f} | {low:.4f} | {high:.4f} | {worst:.4f} |")
    counts = count_false_boxes(options.without, options.seed)
    print("\n| without a box | tried | given one |\n|---|---|---|")
    for kind, (tried, wrong) in counts.items():
        print(f"| {NO_BOX[kind]} | {tried} | {wrong} |")


if __name__ == "__main__":
    main()
