"""Other screens than the 2019 scanner's: where their parts lie, and how each machine may be set.

Modelled on what is documented of makers' 2D-SWE screens. Only two of them could be seen, so places are invented; their
kinds are not: which picture lies where, the side of the bar, its stiff end and its unit.
"""

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from dlre_core.elastography.screen_layout import BOTTOM_PICTURE, COLOUR_BAR, TOP_PICTURE, Rectangle
from dlre_core.simulation.bmode import PictureGeometry

KPA, SPEED = "kPa", "m/s"
# E = 3 rho c^2 with rho = 1000 kg/m3, so kPa = 3 c^2 with c in m/s.
KPA_PER_SQUARED_SPEED = 3.0
# Wide enough for a box of 40 mm that is steered to one side.
LEAST_WIDTH_MM = 60.0
TICK_STEPS = (0.5, 1, 2, 5, 10, 15, 20, 25, 30, 60)

# Colours from the soft to the stiff end: position and red, green, blue. "ssi" is SuperSonic's map, "vtiq" Siemens'.
_MAPS = {
    "ssi": (
        (0.0, 2, 0, 151),
        (0.12, 0, 0, 255),
        (0.37, 0, 255, 255),
        (0.62, 255, 255, 0),
        (0.86, 255, 0, 0),
        (1.0, 137, 3, 2),
    ),
    "vtiq": (
        (0.0, 0, 0, 134),
        (0.1, 0, 0, 255),
        (0.3, 0, 255, 255),
        (0.5, 0, 255, 0),
        (0.7, 255, 255, 0),
        (0.9, 255, 0, 0),
        (1.0, 115, 0, 0),
    ),
    "jet": (
        (0.0, 0, 0, 128),
        (0.125, 0, 0, 255),
        (0.375, 0, 255, 255),
        (0.625, 255, 255, 0),
        (0.875, 255, 0, 0),
        (1.0, 128, 0, 0),
    ),
    "violet": (
        (0.0, 120, 0, 220),
        (0.2, 0, 40, 240),
        (0.4, 0, 200, 230),
        (0.6, 20, 210, 20),
        (0.8, 240, 220, 0),
        (1.0, 235, 20, 0),
    ),
    "amber": ((0.0, 70, 22, 0), (0.5, 205, 100, 10), (1.0, 255, 225, 90)),
}


@cache
def map_colours(name: str) -> NDArray[np.uint8]:
    """A colour map, (1024, 3) uint8 from soft to stiff: ssi, vtiq, jet, jet_reversed, violet or amber."""
    if name == "jet_reversed":
        return map_colours("jet")[::-1]
    nodes = np.array(_MAPS[name])
    at = np.linspace(0, 1, 1024)
    return np.rint(np.stack([np.interp(at, nodes[:, 0], nodes[:, c]) for c in (1, 2, 3)], axis=1)).astype(np.uint8)


@dataclass(frozen=True)
class Scale:
    """Both ends of a colour bar, in ``unit`` (kPa or m/s); colours are linear in that unit."""

    low: float
    high: float
    unit: str

    def position(self, kpa: NDArray[np.float64]) -> NDArray[np.float64]:
        """Where stiffness lies on the bar, 0 (soft end) to 1 (stiff end), cut off at both.

        Examples
        --------
        >>> Scale(1.0, 5.0, "m/s").position(np.array([27.0])).tolist()
        [0.5]
        """
        value = np.sqrt(kpa / KPA_PER_SQUARED_SPEED) if self.unit == SPEED else kpa
        return np.clip((value - self.low) / (self.high - self.low), 0, 1)

    def ticks(self) -> list[float]:
        """Round values between the ends, at most five, none close to an end.

        Examples
        --------
        >>> Scale(0, 300, "kPa").ticks(), Scale(0.5, 6.5, "m/s").ticks()
        ([60.0, 120.0, 180.0, 240.0], [2.0, 4.0])
        """
        step = next(step for step in TICK_STEPS if (self.high - self.low) / step <= 5)
        values = np.arange(1, 20 + self.high / step) * step
        inside = (values > self.low + 0.3 * step) & (values < self.high - 0.3 * step)
        return [float(value) for value in values[inside]]


@dataclass(frozen=True)
class TextBlock:
    """Lines of text at a place of the screen; ``{name}`` and the like are filled in for every picture."""

    left: int
    top: int
    size: int
    lines: tuple[str, ...]
    colour: tuple[int, int, int] = (215, 215, 215)


@dataclass(frozen=True)
class ScreenDesign:
    """A maker's screen.

    Rectangles are in pixels of the screen; ``twin`` shows the plain B-mode, ``quality_map`` a map of kind
    ``quality`` (confidence or propagation). ``labels`` says how the bar is labelled: the stiff end above and the soft
    one with its unit below (ends), the stiff end and its unit above and ticks (end_and_ticks; over_and_ticks with a
    sign that more is possible), or ticks and both ends under the unit (ticks). ``scales``, ``outlines``,
    ``opacities``, ``fonts`` and ``tints`` of the B-mode are what a machine may be set to, the usual scale first.
    ``notes`` are written over the elastogram, and with ``numbered`` a number stands at the Q-Box.
    """

    name: str
    manufacturer: str
    model: str
    columns: int
    rows: int
    elastogram: Rectangle
    colour_bar: Rectangle
    colour_map: str
    scales: tuple[Scale, ...]
    texts: tuple[TextBlock, ...]
    twin: Rectangle | None = None
    quality_map: Rectangle | None = None
    quality: str = ""
    stiff_end: str = "top"
    labels: str = "ticks"
    label_size: int = 14
    grey_bar: Rectangle | None = None
    ruler: int | None = None
    box: str = "sector"
    outlines: tuple[tuple[int, int, int], ...] = ((235, 235, 235),)
    outline_width: int = 1
    dashed: bool = False
    black_holes: bool = False
    opacities: tuple[float, ...] = (0.5, 0.6, 0.7)
    fonts: tuple[str, ...] = ("default", "DejaVuSans")
    tints: tuple[tuple[int, int, int], ...] = ((108, 108, 108),)
    background: tuple[int, int, int] = (0, 0, 0)
    notes: tuple[TextBlock, ...] = ()
    numbered: bool = False

    def geometry(self, depth_mm: float) -> PictureGeometry:
        """The elastogram's geometry at a depth; deeper where the picture would be too narrow for a box."""
        height, width = self.elastogram.height, self.elastogram.width
        return PictureGeometry(height, width, max(depth_mm, LEAST_WIDTH_MM * height / width))


@dataclass(frozen=True)
class MachineSettings:
    """How one machine is set; ``tint`` is what a B-mode grey of 108 looks like."""

    scale: Scale
    opacity: float
    outline: tuple[int, int, int]
    font: str
    tint: tuple[int, int, int]


def machine_settings(design: ScreenDesign, generator: np.random.Generator) -> MachineSettings:
    """Draw one of the settings that the design allows."""
    return MachineSettings(
        design.scales[generator.integers(len(design.scales))],
        design.opacities[generator.integers(len(design.opacities))],
        design.outlines[generator.integers(len(design.outlines))],
        design.fonts[generator.integers(len(design.fonts))],
        design.tints[generator.integers(len(design.tints))],
    )


WHITE, ORANGE, LIGHT_GREY, CYAN = (235, 235, 235), (214, 140, 40), (190, 190, 190), (0, 220, 220)
YELLOW = (255, 196, 0)
BLUISH = (106, 106, 112)
STATEMENT_LINES = ("SIMULATED IMAGE", "NOT A PATIENT", "NOT FOR", "CLINICAL USE")
_Q_BOX = ("Mean {mean}", "Min  {low}", "Max  {high}", "SD   {sd}", "Diam 20.0 mm", "Depth {depth}")


def _header(columns: int, size: int, middle: int) -> tuple[TextBlock, ...]:
    """Name and number at the left, institution and statement from ``middle`` on, date and time at the right."""
    line = size + 6
    right = columns - 12 * size
    return (
        TextBlock(10, 8, size, ("{name}", "{id}")),
        TextBlock(middle, 8, size, ("{institution}",)),
        TextBlock(middle, 8 + line, size, ("{statement}",), YELLOW),
        TextBlock(right, 8, size, ("{date}", "Acq {number}")),
    )


_DESIGNS = (
    ScreenDesign(
        name="stacked",
        manufacturer="DLRE-SIM",
        model="SIMULATED - NOT A SCANNER",
        columns=1440,
        rows=1080,
        elastogram=TOP_PICTURE,
        twin=BOTTOM_PICTURE,
        colour_bar=COLOUR_BAR,
        colour_map="ssi",
        scales=(Scale(0, 40, KPA),),
        opacities=(0.5, 0.6, 0.65),
        texts=(),
    ),
    ScreenDesign(
        name="stacked_offset",
        manufacturer="SuperSonic Imagine SA (simulated)",
        model="Mach 30 (simulated)",
        columns=720,
        rows=540,
        elastogram=Rectangle(206, 72, 500, 288),
        twin=Rectangle(206, 297, 500, 513),
        colour_bar=Rectangle(691, 72, 700, 180),
        grey_bar=Rectangle(682, 72, 687, 180),
        colour_map="ssi",
        scales=(Scale(0, 40, KPA), Scale(0, 60, KPA), Scale(0, 100, KPA)),
        labels="over_and_ticks",
        # Pillow's own font has no sign for "or more".
        fonts=("DejaVuSans", "DejaVuSans-Bold"),
        label_size=9,
        ruler=502,
        outlines=(ORANGE,),
        opacities=(0.6, 0.8, 1.0),
        tints=(BLUISH,),
        texts=(
            *_header(720, 11, 190),
            TextBlock(8, 72, 11, ("B", " Gen/H", " G 54 %", "SWE", " Pen", "{name}")),
            TextBlock(8, 250, 12, STATEMENT_LINES, YELLOW),
            TextBlock(580, 250, 11, ("+ Q-Box", *_Q_BOX)),
            TextBlock(604, 420, 11, ("{id}",)),
        ),
    ),
    ScreenDesign(
        name="side_by_side",
        manufacturer="SuperSonic Imagine SA (simulated)",
        model="Aixplorer (simulated)",
        columns=1440,
        rows=1080,
        elastogram=Rectangle(226, 150, 756, 850),
        twin=Rectangle(764, 150, 1294, 850),
        colour_bar=Rectangle(1372, 150, 1391, 370),
        grey_bar=Rectangle(1354, 150, 1364, 370),
        colour_map="ssi",
        scales=(Scale(0, 40, KPA), Scale(0, 60, KPA), Scale(0, 30, KPA)),
        labels="end_and_ticks",
        label_size=17,
        ruler=1297,
        texts=(
            *_header(1440, 22, 330),
            TextBlock(14, 150, 20, ("B", "  G 46 %", "  DR 60 dB", "SWE", "  S 5/O 50 %", "{name}", "{id}")),
            TextBlock(14, 500, 22, STATEMENT_LINES, YELLOW),
            TextBlock(300, 880, 20, ("+ Q-Box", *_Q_BOX)),
            TextBlock(1330, 420, 16, ("{id}",)),
        ),
    ),
    ScreenDesign(
        name="side_by_side_left",
        manufacturer="MINDRAY (simulated)",
        model="Resona (simulated)",
        columns=1280,
        rows=960,
        elastogram=Rectangle(632, 110, 1164, 750),
        twin=Rectangle(92, 110, 624, 750),
        colour_bar=Rectangle(1200, 128, 1217, 338),
        colour_map="jet",
        scales=(Scale(0, 50, KPA), Scale(0, 40, KPA), Scale(0, 75, KPA)),
        label_size=15,
        box="rectangle",
        outlines=(WHITE, (80, 220, 80)),
        outline_width=2,
        fonts=("DejaVuSans", "DejaVuSansMono"),
        texts=(
            *_header(1280, 19, 300),
            TextBlock(8, 120, 14, ("FR 12", "F H5.0", "D 8.0", "G 51", "DR 110")),
            TextBlock(110, 770, 18, ("STE", *_Q_BOX)),
            TextBlock(640, 770, 18, ("{name}", "{id}", "M-STB 5 stars", "{institution}")),
            TextBlock(1176, 400, 11, STATEMENT_LINES, YELLOW),
            TextBlock(1186, 480, 13, ("{id}",)),
        ),
        notes=(TextBlock(14, 10, 16, ("STE",)),),
    ),
    ScreenDesign(
        name="single_bar_left",
        manufacturer="SIEMENS (simulated)",
        model="S3000 (simulated)",
        columns=1024,
        rows=768,
        elastogram=Rectangle(140, 64, 780, 704),
        colour_bar=Rectangle(14, 130, 30, 390),
        grey_bar=Rectangle(14, 440, 30, 620),
        colour_map="vtiq",
        scales=(Scale(0.5, 5, SPEED), Scale(0.5, 10, SPEED), Scale(0.5, 6.5, SPEED)),
        labels="ends",
        label_size=14,
        ruler=104,
        outlines=(LIGHT_GREY,),
        dashed=True,
        black_holes=True,
        opacities=(0.7, 0.8),
        fonts=("DejaVuSans", "default", "DejaVuSans-Bold"),
        texts=(
            *_header(1024, 14, 250),
            TextBlock(
                796, 80, 14, ("SW Velocity", "Virtual Touch IQ", "4C1 Abdomen", "6.0 MHz  0 dB", "{name}", "{id}")
            ),
            TextBlock(796, 260, 15, (*STATEMENT_LINES, "{institution}"), YELLOW),
            TextBlock(796, 420, 15, ("Vs {speed}", *_Q_BOX)),
            TextBlock(4, 700, 12, ("{name}",)),
            TextBlock(140, 712, 13, ("{date}  {id}",)),
        ),
    ),
    ScreenDesign(
        name="single_bar_right",
        manufacturer="SuperSonic Imagine SA (simulated)",
        model="Aixplorer (simulated)",
        columns=1440,
        rows=1080,
        elastogram=Rectangle(262, 104, 1242, 1034),
        colour_bar=Rectangle(1372, 150, 1391, 370),
        grey_bar=Rectangle(1352, 150, 1362, 370),
        colour_map="ssi",
        scales=(Scale(0, 40, KPA), Scale(0, 50, KPA)),
        labels="end_and_ticks",
        label_size=17,
        ruler=1245,
        outlines=(ORANGE, YELLOW),
        outline_width=2,
        tints=(BLUISH, (112, 106, 100)),
        texts=(
            *_header(1440, 22, 330),
            TextBlock(14, 150, 20, ("B", "  G 46 %", "  DR 60 dB", "SWE", "  S 5/O 50 %", "{name}", "{id}")),
            TextBlock(14, 500, 24, STATEMENT_LINES, YELLOW),
            TextBlock(14, 800, 18, ("+ Q-Box", *_Q_BOX)),
            TextBlock(1310, 430, 16, ("{name}",)),
            TextBlock(262, 1044, 20, ("{statement}",), YELLOW),
        ),
        numbered=True,
        notes=(
            TextBlock(20, 16, 26, ("RIGHT LOBE S5",)),
            TextBlock(470, 800, 22, ("1 {mean}",), YELLOW),
        ),
    ),
    ScreenDesign(
        name="bar_blue_stiff",
        manufacturer="GE Healthcare (simulated)",
        model="LOGIQE9 (simulated)",
        columns=960,
        rows=720,
        elastogram=Rectangle(110, 76, 790, 656),
        colour_bar=Rectangle(18, 112, 32, 332),
        colour_map="jet_reversed",
        scales=(Scale(0, 40, KPA), Scale(0, 30, KPA), Scale(0, 60, KPA)),
        label_size=12,
        ruler=794,
        fonts=("default", "DejaVuSans", "DejaVuSans-Bold"),
        texts=(
            *_header(960, 14, 250),
            TextBlock(824, 90, 13, ("Abd", "C1-6", "SWE", "Gn 40", "FR 0.6", "{name}", "{id}")),
            TextBlock(824, 300, 12, STATEMENT_LINES, YELLOW),
            TextBlock(824, 420, 13, ("1", *_Q_BOX)),
            TextBlock(8, 380, 11, ("{id}",)),
            TextBlock(110, 668, 13, ("{statement}",), YELLOW),
        ),
        numbered=True,
        notes=(TextBlock(8, 8, 14, ("Stiffness",)),),
    ),
    ScreenDesign(
        name="confidence_beside",
        manufacturer="Philips Medical Systems (simulated)",
        model="EPIQ Elite (simulated)",
        columns=1024,
        rows=768,
        elastogram=Rectangle(106, 110, 500, 594),
        quality_map=Rectangle(508, 110, 902, 594),
        quality="confidence",
        colour_bar=Rectangle(934, 136, 947, 330),
        colour_map="jet",
        scales=(Scale(0, 40, KPA), Scale(0, 30, KPA), Scale(0, 50, KPA)),
        label_size=13,
        outlines=(WHITE, CYAN),
        texts=(
            *_header(1024, 14, 250),
            TextBlock(6, 120, 12, ("ElastQ", "FR 1 Hz", "2D 54%", "C 60", "P Low")),
            TextBlock(110, 614, 14, ("Average", *_Q_BOX)),
            TextBlock(330, 614, 14, ("{name}", "{id}", "{institution}", "Threshold 60%")),
            TextBlock(920, 360, 12, ("Confidence",)),
            TextBlock(560, 614, 14, STATEMENT_LINES, YELLOW),
            TextBlock(916, 560, 12, ("{id}",)),
        ),
        notes=(TextBlock(8, 8, 13, ("2D ElastQ",)),),
    ),
    ScreenDesign(
        name="propagation_beside",
        manufacturer="CANON_MEC (simulated)",
        model="CUS-AA000 (simulated)",
        columns=1280,
        rows=960,
        elastogram=Rectangle(104, 120, 624, 740),
        quality_map=Rectangle(632, 120, 1152, 740),
        quality="propagation",
        colour_bar=Rectangle(1190, 150, 1206, 380),
        colour_map="jet",
        scales=(Scale(0, 40, KPA), Scale(0, 50, KPA), Scale(0, 30, KPA)),
        label_size=15,
        outlines=(WHITE, (240, 220, 60)),
        fonts=("default", "DejaVuSans", "DejaVuSansMono"),
        texts=(
            *_header(1280, 19, 300),
            TextBlock(8, 130, 14, ("i8CX1", "diffT", "8.0 cm", "DR 65", "2D 84")),
            TextBlock(110, 762, 18, ("ROI 1", *_Q_BOX)),
            TextBlock(420, 762, 18, ("{name}", "{id}", "{institution}")),
            TextBlock(760, 762, 18, STATEMENT_LINES, YELLOW),
            TextBlock(1176, 440, 14, ("{id}",)),
        ),
        notes=(TextBlock(10, 8, 16, ("Elasticity",)),),
    ),
    ScreenDesign(
        name="velocity",
        manufacturer="SuperSonic Imagine SA (simulated)",
        model="Aixplorer (simulated)",
        columns=1400,
        rows=1050,
        elastogram=Rectangle(296, 118, 1046, 552),
        twin=Rectangle(296, 568, 1046, 1002),
        colour_bar=Rectangle(1330, 122, 1348, 336),
        grey_bar=Rectangle(1312, 122, 1322, 336),
        colour_map="ssi",
        scales=(Scale(0, 4, SPEED), Scale(0, 3.5, SPEED), Scale(0.5, 5, SPEED)),
        labels="over_and_ticks",
        # Pillow's own font has no sign for "or more".
        fonts=("DejaVuSans", "DejaVuSans-Bold"),
        label_size=17,
        ruler=1049,
        outlines=(WHITE, ORANGE),
        texts=(
            *_header(1400, 22, 330),
            TextBlock(14, 130, 20, ("B", "  G 46 %", "  DR 60 dB", "SWE", "  S 5/O 50 %", "{name}", "{id}")),
            TextBlock(14, 500, 24, STATEMENT_LINES, YELLOW),
            TextBlock(1120, 470, 20, ("+ Q-Box", "Mean {speed}", *_Q_BOX)),
            TextBlock(1296, 380, 15, ("{id}",)),
            TextBlock(296, 1014, 20, ("{statement}",), YELLOW),
        ),
    ),
    ScreenDesign(
        name="velocity_twin_above",
        manufacturer="SIEMENS (simulated)",
        model="SEQUOIA (simulated)",
        columns=960,
        rows=720,
        elastogram=Rectangle(196, 384, 716, 690),
        twin=Rectangle(196, 68, 716, 374),
        colour_bar=Rectangle(18, 420, 30, 610),
        colour_map="violet",
        scales=(Scale(0.5, 5, SPEED), Scale(0, 4, SPEED), Scale(0.5, 6.5, SPEED)),
        label_size=12,
        ruler=720,
        dashed=True,
        black_holes=True,
        opacities=(0.7, 0.8),
        outlines=(WHITE, LIGHT_GREY),
        fonts=("DejaVuSans", "default"),
        texts=(
            *_header(960, 14, 250),
            TextBlock(10, 80, 13, ("SWE", "DAX", "4.0 MHz", "{name}", "{id}")),
            TextBlock(10, 220, 13, STATEMENT_LINES, YELLOW),
            TextBlock(770, 90, 13, ("Site 1  {speed}", *_Q_BOX, "{institution}")),
            TextBlock(8, 650, 11, ("{name}",)),
        ),
    ),
    ScreenDesign(
        name="bar_horizontal",
        manufacturer="SAMSUNG MEDISON (simulated)",
        model="RS85 (simulated)",
        columns=1280,
        rows=960,
        elastogram=Rectangle(150, 72, 970, 772),
        colour_bar=Rectangle(330, 806, 790, 824),
        colour_map="jet",
        scales=(Scale(0, 40, KPA), Scale(0, 50, KPA), Scale(0, 30, KPA)),
        stiff_end="right",
        label_size=14,
        ruler=974,
        box="rectangle",
        outlines=((240, 220, 60), WHITE),
        outline_width=2,
        texts=(
            *_header(1280, 18, 300),
            TextBlock(8, 90, 14, ("S-Shearwave", "CA1-7S", "8.0 cm", "{name}", "{id}")),
            TextBlock(1020, 100, 17, ("E {mean}", *_Q_BOX, "RMI 0.8", "{institution}")),
            TextBlock(1020, 420, 20, STATEMENT_LINES, YELLOW),
            TextBlock(830, 806, 13, ("{id}",)),
            TextBlock(300, 900, 18, ("{statement}",), YELLOW),
        ),
    ),
    ScreenDesign(
        name="bar_above",
        manufacturer="TOSHIBA (simulated)",
        model="TUS-A500 (simulated)",
        columns=1024,
        rows=768,
        elastogram=Rectangle(80, 160, 500, 660),
        twin=Rectangle(508, 160, 928, 660),
        colour_bar=Rectangle(150, 84, 420, 98),
        colour_map="vtiq",
        scales=(Scale(0, 40, KPA), Scale(0, 60, KPA), Scale(0, 30, KPA)),
        stiff_end="left",
        label_size=12,
        ruler=932,
        box="rectangle",
        dashed=True,
        fonts=("default", "DejaVuSans", "DejaVuSansMono"),
        texts=(
            *_header(1024, 14, 250),
            TextBlock(6, 170, 11, ("6C1", "8.0 cm", "DR 65", "2D 84")),
            TextBlock(520, 84, 13, ("{name}  {id}", "{institution}")),
            TextBlock(90, 668, 12, _Q_BOX[:3]),
            TextBlock(260, 668, 12, _Q_BOX[3:]),
            TextBlock(520, 672, 14, ("{statement}",), YELLOW),
        ),
    ),
    ScreenDesign(
        name="bar_stiff_bottom",
        manufacturer="ESAOTE (simulated)",
        model="MyLab (simulated)",
        columns=800,
        rows=600,
        elastogram=Rectangle(90, 60, 650, 550),
        colour_bar=Rectangle(740, 90, 752, 260),
        colour_map="amber",
        scales=(Scale(0, 40, KPA), Scale(0, 50, KPA)),
        stiff_end="bottom",
        label_size=11,
        ruler=654,
        opacities=(0.7, 0.8),
        texts=(
            *_header(800, 12, 200),
            TextBlock(6, 70, 11, ("QElaXto", "AC2541", "P 80 mm", "{name}", "{id}")),
            TextBlock(690, 300, 10, STATEMENT_LINES, YELLOW),
            TextBlock(690, 400, 11, _Q_BOX),
            TextBlock(90, 560, 12, ("{institution}  {id}",)),
            TextBlock(330, 560, 12, ("{statement}",), YELLOW),
        ),
    ),
)

DESIGNS = {design.name: design for design in _DESIGNS}
