"""Compose the scanner's screen: two pictures, colour bar, Q-Box panel, and SIMULATED all over."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from dlre_core.elastography.colour_map import colour_table
from dlre_core.elastography.screen_layout import BOTTOM_PICTURE, COLOUR_BAR, TOP_PICTURE, Rectangle
from dlre_core.simulation.bmode import ARRAY_RADIUS_MM, PictureGeometry
from dlre_core.simulation.texture import CELL_MM, CROP, HALF_HEIGHT_MM, HALF_WIDTH_MM, Field

WIDTH, HEIGHT = 1440, 1080
BOX_WIDTH_MM, BOX_HEIGHT_MM = 40.0, 30.0
Q_BOX_RADIUS_MM = 10.0
STATEMENT = "SIMULATED IMAGE - NOT A PATIENT - NOT FOR CLINICAL USE"
_LUT = colour_table(1024)


@dataclass(frozen=True)
class Placement:
    """Where the box lies: depth of its top (mm), steering (rad), and the Q-Box's offset (mm)."""

    top_mm: float
    steering: float
    q_box_x_mm: float
    q_box_y_mm: float


@dataclass(frozen=True)
class Captions:
    """Text that is burned in; all of it is invented."""

    institution: str
    patient_id: str
    patient_name: str
    date_time: str
    acquisition: int


@dataclass(frozen=True)
class Rendered:
    """A screen and its truth.

    ``screen`` (1080, 1440, 3) uint8; ``box`` its rectangle on the screen; ``kpa`` and ``signal``
    of the rectangle's pixels; ``sector`` and ``coloured`` its masks; ``q_box`` mean, min, max and SD
    in kPa (NaN where the circle has too little signal), ``q_box_depth_cm``.
    """

    screen: NDArray[np.uint8]
    box: Rectangle
    kpa: NDArray[np.float32]
    sector: NDArray[np.bool_]
    coloured: NDArray[np.bool_]
    q_box: tuple[float, float, float, float]
    q_box_depth_cm: float
    q_box_centre: tuple[float, float]


def box_half_angle(top_mm: float) -> float:
    """Half the opening of a box 40 mm wide at its widest chord, rad."""
    return float(np.arcsin(BOX_WIDTH_MM / 2 / (ARRAY_RADIUS_MM + top_mm + BOX_HEIGHT_MM)))


@dataclass(frozen=True)
class MeasuredBox:
    """A box in its picture, before anything is drawn.

    ``place`` is its bounding rectangle as slices of the picture; all arrays are of that size: ``grey`` uint8 with
    the vessel cut in, ``kpa`` and ``signal`` float64, ``inside`` and ``coloured`` bool, ``circle`` float64 the
    distance from the Q-Box's centre, mm. ``q_box`` is mean, min, max and SD in kPa, ``centre`` the Q-Box's row and
    column in the picture.
    """

    place: tuple[slice, slice]
    grey: NDArray[np.uint8]
    kpa: NDArray[np.float64]
    signal: NDArray[np.float64]
    inside: NDArray[np.bool_]
    coloured: NDArray[np.bool_]
    circle: NDArray[np.float64]
    q_box: tuple[float, float, float, float]
    centre: tuple[float, float]

    def on_screen(self, picture: Rectangle) -> Rectangle:
        """The bounding rectangle where the picture lies at ``picture``."""
        rows, columns = self.place
        return Rectangle(columns.start, rows.start, columns.stop, rows.stop).moved(picture.left, picture.top)


def measure_box(
    field: Field, grey: NDArray[np.uint8], pixel_mm: float, box: NDArray[np.bool_], placement: Placement
) -> MeasuredBox:
    """What the field shows in a box, and in its Q-Box.

    Parameters
    ----------
    field : Field
    grey : (height, width) uint8
    pixel_mm : float
    box : (height, width) bool
        The box's pixels.
    placement : Placement
    """
    rows, columns = np.flatnonzero(box.any(axis=1)), np.flatnonzero(box.any(axis=0))
    place = (slice(int(rows[0]), int(rows[-1]) + 1), slice(int(columns[0]), int(columns[-1]) + 1))
    kpa, signal, x_mm, y_mm = _sampled(field, place, pixel_mm)
    patch, inside = grey[place].copy(), box[place]
    coloured = inside & (signal > 0)
    if field.vessel is not None:
        hole = _ellipse(field.vessel, x_mm, y_mm)
        patch[hole] = patch[hole] // 6
        coloured &= ~hole
    circle = np.hypot(x_mm - placement.q_box_x_mm, y_mm - placement.q_box_y_mm)
    measured = coloured & (circle <= Q_BOX_RADIUS_MM)
    enough = measured.sum() >= 0.2 * (circle <= Q_BOX_RADIUS_MM).sum()
    values = kpa[measured] if enough else np.full(1, np.nan)
    q_box = (float(values.mean()), float(values.min()), float(values.max()), float(values.std()))
    centre = (
        (rows[0] + rows[-1]) / 2 + placement.q_box_y_mm / pixel_mm,
        (columns[0] + columns[-1]) / 2 + placement.q_box_x_mm / pixel_mm,
    )
    return MeasuredBox(place, patch, kpa, signal, inside, coloured, circle, q_box, centre)


def sector_box(geometry: PictureGeometry, placement: Placement) -> NDArray[np.bool_]:
    """The pixels of a box that follows the convex probe's beams, (height, width) bool."""
    depth, angle = geometry.polar()
    half = box_half_angle(placement.top_mm)
    sector = (depth >= placement.top_mm) & (depth <= placement.top_mm + BOX_HEIGHT_MM)
    return sector & (np.abs(angle - placement.steering) <= half)


def render(
    field: Field,
    grey: NDArray[np.uint8],
    geometry: PictureGeometry,
    placement: Placement,
    captions: Captions,
    opacity: float,
    scale_maximum_kpa: float,
) -> Rendered:
    """Draw one acquisition.

    Parameters
    ----------
    field : Field
    grey : (height, width) uint8
        B-mode picture; a vessel of the field is cut into it.
    geometry : PictureGeometry
    placement : Placement
    captions : Captions
    opacity : float
        Of the colours, 0 to 1: pixel = opacity x colour + (1 - opacity) x grey.
    scale_maximum_kpa : float
        Full scale of the colour bar.
    """
    box = measure_box(field, grey, geometry.pixel_mm, sector_box(geometry, placement), placement)
    grey = grey.copy()
    grey[box.place] = box.grey
    screen = empty_screen(captions.institution, opacity, scale_maximum_kpa, geometry.depth_mm).copy()
    top = _paste(screen, grey, TOP_PICTURE)
    bottom = _paste(screen, grey, BOTTOM_PICTURE)
    box_pixels = top[box.place]
    index = np.clip(box.kpa[box.coloured] * (len(_LUT) / scale_maximum_kpa), 0, len(_LUT) - 1)
    blended = opacity * _LUT[index.astype(np.int32)] + (1 - opacity) * box.grey[box.coloured][:, None]
    box_pixels[box.coloured] = np.rint(blended).astype(np.uint8)
    box_pixels[np.abs(box.circle - Q_BOX_RADIUS_MM) < 0.6 * geometry.pixel_mm] = 255
    outline = edge(box.inside)
    top[box.place][outline] = 235
    bottom[box.place][outline] = 235
    q_depth = box.centre[0] * geometry.pixel_mm / 10
    _captions(screen, captions, box.q_box, q_depth)
    return Rendered(
        screen,
        box.on_screen(TOP_PICTURE),
        box.kpa.astype(np.float32),
        box.inside,
        box.coloured,
        box.q_box,
        q_depth,
        (TOP_PICTURE.top + box.centre[0], TOP_PICTURE.left + box.centre[1]),
    )


def _sampled(
    field: Field, place: tuple[slice, slice], pixel_mm: float
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Stiffness and signal at the box's pixels, bilinear, and the pixels' place about its centre."""
    rows, columns = place[0].stop - place[0].start, place[1].stop - place[1].start
    y = ((np.arange(rows) - (rows - 1) / 2) * pixel_mm)[:, None]
    x = ((np.arange(columns) - (columns - 1) / 2) * pixel_mm)[None, :]
    down = _weights((y.ravel() + HALF_HEIGHT_MM) / CELL_MM - 0.5, CROP[0])
    across = _weights((x.ravel() + HALF_WIDTH_MM) / CELL_MM - 0.5, CROP[1])
    return down @ field.kpa @ across.T, down @ field.signal @ across.T, x, y


def _weights(position: NDArray[np.float64], n: int) -> NDArray[np.float64]:
    """Matrix of bilinear weights, clamped at the border."""
    position = np.clip(position, 0, n - 1)
    left = np.minimum(np.floor(position).astype(int), n - 2)
    weights = np.zeros((len(position), n))
    weights[np.arange(len(position)), left] = 1 - (position - left)
    weights[np.arange(len(position)), left + 1] = position - left
    return weights


def _ellipse(
    vessel: tuple[float, float, float, float, float], x: NDArray[np.float64], y: NDArray[np.float64]
) -> NDArray[np.bool_]:
    centre_x, centre_y, major, minor, angle = vessel
    dx, dy = x - centre_x, y - centre_y
    along = dx * np.cos(angle) + dy * np.sin(angle)
    across = -dx * np.sin(angle) + dy * np.cos(angle)
    return (along / major) ** 2 + (across / minor) ** 2 < 1


def edge(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The pixels of a mask that have a neighbour outside it."""
    padded = np.pad(mask, 1)
    inner = padded[:-2, 1:-1] & padded[2:, 1:-1] & padded[1:-1, :-2] & padded[1:-1, 2:]
    return mask & ~inner


def _paste(screen: NDArray[np.uint8], grey: NDArray[np.uint8], place: Rectangle) -> NDArray[np.uint8]:
    """Put a grey picture on the screen (mutated) and return its place there, to draw into."""
    picture = screen[place.top : place.top + grey.shape[0], place.left : place.left + grey.shape[1]]
    picture[:] = grey[: picture.shape[0], : picture.shape[1], None]
    return picture


@lru_cache(maxsize=8)
def _font(size: int) -> ImageFont.FreeTypeFont:
    return ImageFont.load_default(size)


@lru_cache(maxsize=64)
def empty_screen(institution: str, opacity: float, scale_maximum_kpa: float, depth_mm: float) -> NDArray[np.uint8]:
    """What all screens of a hospital at a depth have in common, (1080, 1440, 3) uint8: no pictures yet."""
    image = Image.new("RGB", (WIDTH, HEIGHT))
    draw = ImageDraw.Draw(image)
    draw.rectangle((0, 0, WIDTH - 1, 89), fill=(38, 42, 48))
    draw.rectangle((0, 1045, WIDTH - 1, HEIGHT - 1), fill=(38, 42, 48))
    draw.text((330, 14), institution, fill=(220, 220, 220), font=_font(22))
    draw.text((330, 50), STATEMENT, fill=(255, 196, 0), font=_font(27))
    draw.text((330, 1050), STATEMENT, fill=(255, 196, 0), font=_font(22))
    for number, word in enumerate(("SIMULATED", "IMAGE", "NOT A", "PATIENT")):
        draw.text((14, 560 + 42 * number), word, fill=(255, 196, 0), font=_font(36))
    lines = (
        "Abd. General",
        "C6-1X sim",
        "",
        "B",
        "  G 46 %",
        "  DR 60 dB",
        "",
        "SWE",
        "  PEN",
        f"  S 5/O {round(100 * opacity)} %",
        "  G 70 %",
    )
    for number, line in enumerate(lines):
        draw.text((14, 118 + 32 * number), line, fill=(200, 200, 200), font=_font(22))
    for place in (TOP_PICTURE, BOTTOM_PICTURE):
        for centimetre in range(int(depth_mm // 10) + 1):
            y = place.top + round(centimetre * 10 / depth_mm * place.height)
            long = 12 if centimetre % 5 == 0 else 6
            draw.line((1092, y, 1092 + long, y), fill=(200, 200, 200))
            if centimetre % 5 == 0 and centimetre:
                draw.text((1108, y - 9), str(centimetre), fill=(200, 200, 200), font=_font(16))
    label = f"{scale_maximum_kpa:g}"
    draw.text((1345, 112), f"{label} kPa", fill=(220, 220, 220), font=_font(18))
    for share, text in ((0.0, label), (0.5, f"{scale_maximum_kpa / 2:g}"), (1.0, "0")):
        y = COLOUR_BAR.top + round(share * (COLOUR_BAR.height - 1))
        draw.line((1404, y, 1409, y), fill=(220, 220, 220))
        draw.text((1411, y - 8), text, fill=(220, 220, 220), font=_font(14))
    draw.rectangle((1150, 420, 1350, 640), outline=(255, 214, 0), width=2)
    screen = np.array(image)
    ramp = np.linspace(1023, 0, COLOUR_BAR.height).astype(int)
    screen[COLOUR_BAR.top : COLOUR_BAR.bottom, COLOUR_BAR.left : COLOUR_BAR.right] = _LUT[ramp][:, None]
    grey = np.linspace(255, 0, COLOUR_BAR.height).astype(np.uint8)
    screen[COLOUR_BAR.top : COLOUR_BAR.bottom, 1366:1376] = grey[:, None, None]
    return screen


def _captions(screen: NDArray[np.uint8], captions: Captions, q_box: tuple[float, ...], depth_cm: float) -> None:
    values = ["--" if np.isnan(value) else f"{value:.1f} kPa" for value in q_box]
    panel = [
        "+ Q-Box",
        *(f"{name} {value}" for name, value in zip(("Mean", "Min ", "Max ", "SD  "), values, strict=True)),
    ]
    panel += ["Diam 20.0 mm", f"Depth {depth_cm:.1f} cm"]
    _write(screen, (1158, 428), panel, 20, 29)
    _write(screen, (14, 12), [captions.patient_name, captions.patient_id], 22, 32)
    _write(screen, (1150, 12), [captions.date_time, f"Acq {captions.acquisition}"], 22, 32)


def _write(screen: NDArray[np.uint8], at: tuple[int, int], lines: list[str], size: int, step: int) -> None:
    """Draw lines of text into the screen (mutated)."""
    font = _font(size)
    width = max(int(font.getlength(line)) for line in lines) + 4
    patch = Image.new("L", (width, step * len(lines)))
    draw = ImageDraw.Draw(patch)
    for number, line in enumerate(lines):
        draw.text((0, step * number), line, fill=230, font=font)
    text = np.asarray(patch)[: HEIGHT - at[1], : WIDTH - at[0]]
    place = screen[at[1] : at[1] + text.shape[0], at[0] : at[0] + text.shape[1]]
    np.maximum(place, text[:, :, None], out=place)
