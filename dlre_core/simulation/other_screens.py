"""Draw an acquisition on any of the designs of screens, with the truth about it; SIMULATED on all of them."""

from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

import matplotlib
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from dlre_core.elastography.screen_layout import Rectangle
from dlre_core.simulation.bmode import ARRAY_RADIUS_MM, Look, PictureGeometry, simulate_bmode
from dlre_core.simulation.screen import (
    BOX_HEIGHT_MM,
    BOX_WIDTH_MM,
    Q_BOX_RADIUS_MM,
    STATEMENT,
    Captions,
    MeasuredBox,
    Placement,
    Rendered,
    edge,
    measure_box,
    render,
    sector_box,
)
from dlre_core.simulation.screen_designs import (
    DESIGNS,
    KPA_PER_SQUARED_SPEED,
    WHITE,
    MachineSettings,
    Scale,
    ScreenDesign,
    TextBlock,
    machine_settings,
    map_colours,
)
from dlre_core.simulation.texture import Field, Nuisance, simulate_field

# Confidence of a reading by its signal: below the first red, below the second yellow, else green.
CONFIDENCE_LIMITS = (0.7, 1.6)
CONFIDENCE_COLOURS = np.array([(215, 30, 20), (230, 215, 20), (20, 180, 40)], dtype=np.uint8)
# Between two arrival times of a propagation map, and how much of that is drawn.
ARRIVAL_STEP_MS, ARRIVAL_LINE = 1.6, 0.3
BOX_MARGIN_MM = 1.0
TEXT_COLOUR = (215, 215, 215)
LINE_SPACING = 1.3


@dataclass(frozen=True)
class DrawnScreen(Rendered):
    """A screen and its truth, as `Rendered`, and where its parts lie.

    ``colour_bar`` has its stiff end at ``stiff_end`` (top, bottom, left, right); ``scale`` are both ends and unit;
    ``twin`` and ``quality_map`` are None where the screen has none.
    """

    elastogram: Rectangle
    twin: Rectangle | None
    colour_bar: Rectangle
    stiff_end: str
    scale: Scale
    quality_map: Rectangle | None


def draw_screen(
    design: ScreenDesign,
    settings: MachineSettings,
    field: Field,
    grey: NDArray[np.uint8],
    geometry: PictureGeometry,
    placement: Placement,
    captions: Captions,
) -> DrawnScreen:
    """Draw one acquisition.

    Parameters
    ----------
    design : ScreenDesign
        One of `DESIGNS`; "stacked" is the 2019 scanner's.
    settings : MachineSettings
    field : Field
    grey : (height, width) uint8
        B-mode picture of the design's geometry; a vessel of the field is cut into it.
    geometry : PictureGeometry
        As `ScreenDesign.geometry` returns it.
    placement : Placement
        A box that would leave the picture is steered less.
    captions : Captions
    """
    if design.name == "stacked":
        rendered = render(field, grey, geometry, placement, captions, settings.opacity, settings.scale.high)
        return _drawn(rendered, design, settings)
    box = _box(design, field, grey, geometry, placement)
    plain = grey.copy()
    plain[box.place] = box.grey
    plain = _tinted(plain, settings.tint)
    picture = plain.copy()
    _colour(picture[box.place], box, design, settings)
    picture[box.place][np.abs(box.circle - Q_BOX_RADIUS_MM) < 0.6 * geometry.pixel_mm] = 255
    outline = _outline(box.inside, design)
    picture[box.place][outline] = settings.outline
    image = Image.new("RGB", (design.columns, design.rows), design.background)
    depth_cm = box.centre[0] * geometry.pixel_mm / 10
    words = _words(captions, box.q_box, depth_cm)
    _paste(image, picture, design.elastogram)
    if design.twin is not None:
        twin = plain.copy()
        twin[box.place][outline] = settings.outline
        _paste(image, twin, design.twin)
    if design.quality_map is not None:
        _paste(image, _quality_picture(plain, box, design, settings, geometry.pixel_mm), design.quality_map)
    draw = ImageDraw.Draw(image)
    _bars(image, draw, design, settings)
    _ruler(draw, design, settings.font, geometry.depth_mm)
    for block in design.texts:
        _text(draw, block, words, settings.font)
    for block in design.notes:
        _text(draw, block, words, settings.font, design.elastogram)
    if design.numbered:
        row, column = box.centre
        beside = (
            design.elastogram.left + column + 1.08 * Q_BOX_RADIUS_MM / geometry.pixel_mm,
            design.elastogram.top + row,
        )
        draw.text(beside, "1", fill=WHITE, font=font_of(settings.font, design.label_size), anchor="lm")
    rendered = Rendered(
        np.array(image),
        box.on_screen(design.elastogram),
        box.kpa.astype(np.float32),
        box.inside,
        box.coloured,
        box.q_box,
        depth_cm,
        (design.elastogram.top + box.centre[0], design.elastogram.left + box.centre[1]),
    )
    return _drawn(rendered, design, settings)


def example_screen(name: str, seed: int, failed: bool = False) -> DrawnScreen:
    """A screen of a design with stiffness, depth, place and settings drawn from the seed."""
    design, generator = DESIGNS[name], np.random.default_rng([seed, sum(map(ord, name))])
    settings = machine_settings(design, generator)
    geometry = design.geometry(float(generator.choice([70.0, 80.0, 80.0, 90.0, 110.0])))
    stiffness = float(np.exp(generator.uniform(np.log(4), np.log(26))))
    field = simulate_field(
        stiffness, generator.uniform(0, 1.7), Nuisance(*generator.normal(0, 1, 2), 22.8), failed, generator
    )
    # A third of the pictures have holes.
    field = replace(field, signal=field.signal - max(0.0, generator.uniform(-2, 1)))
    look = Look(generator.uniform(0.82, 1.0), generator.uniform(0.1, 0.22), generator.uniform(27, 32), 3.2)
    grey = simulate_bmode(geometry, look, generator.uniform(11, 20), generator)
    top = generator.uniform(20, min(44, geometry.depth_mm - BOX_HEIGHT_MM - 5))
    placement = Placement(top, generator.uniform(-0.07, 0.07), generator.uniform(-4, 4), generator.uniform(-4, 4))
    number = int(generator.integers(1, 1000))
    captions = Captions(
        "Simulated Hospital Z", f"Z{number:04d}", f"SIM^Z{number:04d}", "2015-03-02 10:20:30", int(seed % 9) + 1
    )
    return draw_screen(design, settings, field, grey, geometry, placement, captions)


def _drawn(rendered: Rendered, design: ScreenDesign, settings: MachineSettings) -> DrawnScreen:
    return DrawnScreen(
        **vars(rendered),
        elastogram=design.elastogram,
        twin=design.twin,
        colour_bar=design.colour_bar,
        stiff_end=design.stiff_end,
        scale=settings.scale,
        quality_map=design.quality_map,
    )


def _box(
    design: ScreenDesign, field: Field, grey: NDArray[np.uint8], geometry: PictureGeometry, placement: Placement
) -> MeasuredBox:
    deepest = ARRAY_RADIUS_MM + placement.top_mm + BOX_HEIGHT_MM
    room = geometry.width * geometry.pixel_mm / 2 - BOX_WIDTH_MM / 2 - BOX_MARGIN_MM
    largest = room / deepest
    steering = float(np.clip(placement.steering, -largest, largest))
    placement = Placement(placement.top_mm, steering, placement.q_box_x_mm, placement.q_box_y_mm)
    if design.box == "sector":
        inside = sector_box(geometry, placement)
    else:
        y = np.arange(geometry.height)[:, None] * geometry.pixel_mm - placement.top_mm
        x = (np.arange(geometry.width)[None, :] - (geometry.width - 1) / 2) * geometry.pixel_mm - steering * deepest
        inside = (y >= 0) & (y <= BOX_HEIGHT_MM) & (np.abs(x) <= BOX_WIDTH_MM / 2)
    return measure_box(field, grey, geometry.pixel_mm, inside, placement)


def _tinted(grey: NDArray[np.uint8], tint: tuple[int, int, int]) -> NDArray[np.uint8]:
    """A grey picture in colour, (height, width, 3) uint8, as a monitor's tint shows it."""
    table = np.clip(np.arange(256)[:, None] * np.array(tint)[None, :] / 108, 0, 255)
    return np.rint(table).astype(np.uint8)[grey]


def _colour(patch: NDArray[np.uint8], box: MeasuredBox, design: ScreenDesign, settings: MachineSettings) -> None:
    """Blend the colours of the stiffness into the box's pixels (mutated)."""
    table = map_colours(design.colour_map)
    index = np.rint(settings.scale.position(box.kpa[box.coloured]) * (len(table) - 1)).astype(np.int32)
    patch[box.coloured] = _blended(table[index], patch[box.coloured], settings.opacity)
    if design.black_holes:
        patch[box.inside & ~box.coloured] = 0


def _blended(colour: NDArray[np.uint8], under: NDArray[np.uint8], opacity: float) -> NDArray[np.uint8]:
    return np.rint(opacity * colour + (1 - opacity) * under).astype(np.uint8)


def _outline(inside: NDArray[np.bool_], design: ScreenDesign) -> NDArray[np.bool_]:
    line = edge(inside)
    for _ in range(design.outline_width - 1):
        line = line | edge(inside & ~line)
    if design.dashed:
        rows, columns = np.indices(inside.shape, sparse=True)
        line &= (rows + columns) // 5 % 2 == 0
    return line


def _quality_picture(
    plain: NDArray[np.uint8], box: MeasuredBox, design: ScreenDesign, settings: MachineSettings, pixel_mm: float
) -> NDArray[np.uint8]:
    """The B-mode with a map of confidence, or of when the shear wave arrived, in the same box."""
    picture = plain.copy()
    patch = picture[box.place]
    if design.quality == "confidence":
        grade = np.digitize(box.signal, CONFIDENCE_LIMITS)
        patch[box.coloured] = _blended(CONFIDENCE_COLOURS[grade[box.coloured]], patch[box.coloured], settings.opacity)
    else:
        # Milliseconds to go through a pixel, summed up from the push at the left.
        arrival = np.cumsum(pixel_mm / np.sqrt(box.kpa / KPA_PER_SQUARED_SPEED), axis=1)
        lines = box.coloured & (arrival % ARRIVAL_STEP_MS < ARRIVAL_LINE)
        shown = map_colours("violet")[np.rint(np.clip(arrival[lines] / 25, 0, 1) * 1023).astype(int)]
        patch[lines] = _blended(shown, patch[lines], 0.8)
    patch[_outline(box.inside, design)] = settings.outline
    return picture


def _paste(image: Image.Image, picture: NDArray[np.uint8], place: Rectangle) -> None:
    image.paste(Image.fromarray(picture), (place.left, place.top))


def _bars(image: Image.Image, draw: ImageDraw.ImageDraw, design: ScreenDesign, settings: MachineSettings) -> None:
    """The colour bar with its labels, the grey bar, and a legend of the confidence."""
    bar = design.colour_bar
    upright = design.stiff_end in ("top", "bottom")
    length, width = (bar.height, bar.width) if upright else (bar.width, bar.height)
    at = np.rint(np.linspace(0, 1023, length)).astype(int)
    ramp = map_colours(design.colour_map)[at[::-1] if design.stiff_end in ("top", "left") else at]
    strip = np.repeat(ramp[:, None], width, axis=1)
    _paste(image, np.ascontiguousarray(strip if upright else strip.transpose(1, 0, 2)), bar)
    if design.grey_bar is not None:
        place = design.grey_bar
        grey = np.rint(np.linspace(255, 0, place.height)).astype(np.uint8)
        _paste(image, _tinted(np.repeat(grey[:, None], place.width, axis=1), settings.tint), place)
    if design.quality == "confidence":
        colours = np.repeat(CONFIDENCE_COLOURS[::-1], 36, axis=0)
        below = Rectangle(bar.left, bar.bottom + 54, bar.right, bar.bottom + 54 + len(colours))
        _paste(image, np.repeat(colours[:, None], bar.width, axis=1), below)
        font = font_of(settings.font, design.label_size)
        for y, word in ((below.top, "Hi"), (below.bottom, "Lo")):
            draw.text((below.right + 6, y), word, fill=TEXT_COLOUR, font=font, anchor="lm")
    (_upright_labels if upright else _level_labels)(draw, design, settings)


def _upright_labels(draw: ImageDraw.ImageDraw, design: ScreenDesign, settings: MachineSettings) -> None:
    bar, scale = design.colour_bar, settings.scale
    font = font_of(settings.font, design.label_size)
    gap = max(4, design.label_size // 3)
    centre = (bar.left + bar.right) // 2
    stiff_at_top = design.stiff_end == "top"
    if design.labels == "ends":
        low = f"{scale.low:g} {scale.unit}"
        above, below = (f"{scale.high:g}", low) if stiff_at_top else (low, f"{scale.high:g}")
        draw.text((bar.left, bar.top - gap), above, fill=TEXT_COLOUR, font=font, anchor="ls")
        draw.text((bar.left, bar.bottom + gap), below, fill=TEXT_COLOUR, font=font, anchor="lt")
        return
    values = scale.ticks()
    if design.labels == "ticks":
        title, values = scale.unit, [scale.low, *values, scale.high]
    else:
        sign = "≥" if design.labels == "over_and_ticks" else ""
        title = f"{sign}{scale.high:g} {scale.unit}"
        values = [scale.low, *values] if scale.low or not sign else values
    width = font.getlength(title)
    middle = min(max(centre, width / 2 + 4), design.columns - 4 - width / 2)
    draw.text((middle, bar.top - gap - design.label_size // 2), title, fill=TEXT_COLOUR, font=font, anchor="ms")
    for value in values:
        share = (value - scale.low) / (scale.high - scale.low)
        down = 1 - share if stiff_at_top else share
        y = bar.top + round(down * (bar.height - 1))
        draw.line((bar.right + 1, y, bar.right + gap - 1, y), fill=TEXT_COLOUR)
        draw.text((bar.right + gap + 2, y), f"{value:g}", fill=TEXT_COLOUR, font=font, anchor="lm")


def _level_labels(draw: ImageDraw.ImageDraw, design: ScreenDesign, settings: MachineSettings) -> None:
    bar, scale = design.colour_bar, settings.scale
    font = font_of(settings.font, design.label_size)
    for value in (scale.low, *scale.ticks(), scale.high):
        share = (value - scale.low) / (scale.high - scale.low)
        along = share if design.stiff_end == "right" else 1 - share
        x = bar.left + round(along * (bar.width - 1))
        draw.line((x, bar.bottom + 1, x, bar.bottom + 4), fill=TEXT_COLOUR)
        draw.text((x, bar.bottom + 6), f"{value:g}", fill=TEXT_COLOUR, font=font, anchor="mt")
    middle = (bar.top + bar.bottom) // 2
    draw.text((bar.left - 8, middle), scale.unit, fill=TEXT_COLOUR, font=font, anchor="rm")


def _ruler(draw: ImageDraw.ImageDraw, design: ScreenDesign, font: str, depth_mm: float) -> None:
    """Centimetres of depth right of ``design.ruler``, beside the elastogram and a twin above or below it."""
    if design.ruler is None:
        return
    pictures = [design.elastogram]
    if design.twin is not None and design.twin.top != design.elastogram.top:
        pictures.append(design.twin)
    for picture in pictures:
        for centimetre in range(int(depth_mm // 10) + 1):
            y = picture.top + round(centimetre * 10 / depth_mm * picture.height)
            fifth = centimetre % 5 == 0
            draw.line((design.ruler, y, design.ruler + (9 if fifth else 5), y), fill=TEXT_COLOUR)
            if fifth and centimetre:
                draw.text(
                    (design.ruler + 12, y),
                    str(centimetre),
                    fill=TEXT_COLOUR,
                    font=font_of(font, max(9, design.rows // 68)),
                    anchor="lm",
                )


def _words(captions: Captions, q_box: tuple[float, float, float, float], depth_cm: float) -> dict[str, str]:
    mean, low, high, sd = ("--" if np.isnan(value) else f"{value:.1f} kPa" for value in q_box)
    speed = "X.XX m/s" if np.isnan(q_box[0]) else f"{np.sqrt(q_box[0] / KPA_PER_SQUARED_SPEED):.2f} m/s"
    return {
        "name": captions.patient_name,
        "id": captions.patient_id,
        "institution": captions.institution,
        "date": captions.date_time,
        "number": str(captions.acquisition),
        "statement": STATEMENT,
        "mean": mean,
        "low": low,
        "high": high,
        "sd": sd,
        "speed": speed,
        "depth": f"{depth_cm:.1f} cm",
    }


def _text(
    draw: ImageDraw.ImageDraw, block: TextBlock, words: dict[str, str], font: str, inside: Rectangle | None = None
) -> None:
    """Write a block, relative to the picture ``inside`` if there is one."""
    left, top = (0, 0) if inside is None else (inside.left, inside.top)
    for number, line in enumerate(block.lines):
        at = (left + block.left, top + block.top + round(number * LINE_SPACING * block.size))
        draw.text(at, line.format(**words), fill=block.colour, font=font_of(font, block.size))


@lru_cache(maxsize=64)
def font_of(name: str, size: int) -> ImageFont.FreeTypeFont:
    """Pillow's own font ("default") or one of those that come with matplotlib, by the name of its file."""
    if name == "default":
        return ImageFont.load_default(size)
    return ImageFont.truetype(Path(matplotlib.get_data_path()) / "fonts" / "ttf" / f"{name}.ttf", size)
