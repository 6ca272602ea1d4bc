"""Where things are on an elastography screen: plain records shared by reading, finding and drawing."""

from collections.abc import Iterable
from dataclasses import dataclass

from numpy.typing import NDArray

from dlre_core.elastography.scale import Scale

# Screens are drawn for this many columns; another picture is a scaled one, unless its region tags say otherwise.
NATIVE_WIDTH = 1440


@dataclass(frozen=True)
class Rectangle:
    """Pixel rectangle, 0-based; ``right`` and ``bottom`` are exclusive.

    Examples
    --------
    >>> box = Rectangle(10, 20, 110, 80)
    >>> box.width, box.height
    (100, 60)
    >>> box.clamped(height=50, width=200)
    Rectangle(left=10, top=20, right=110, bottom=50)
    """

    left: int
    top: int
    right: int
    bottom: int

    @property
    def width(self) -> int:
        """Columns covered, pixels."""
        return self.right - self.left

    @property
    def height(self) -> int:
        """Rows covered, pixels."""
        return self.bottom - self.top

    def clamped(self, height: int, width: int) -> "Rectangle":
        """The part inside a picture of ``height`` x ``width`` pixels (may be empty)."""
        left, right = (min(max(x, 0), width) for x in (self.left, self.right))
        top, bottom = (min(max(y, 0), height) for y in (self.top, self.bottom))
        return Rectangle(left, top, max(left, right), max(top, bottom))

    def scaled(self, scale: float) -> "Rectangle":
        """The same on a screen ``scale`` times as large, to whole pixels."""
        sides = (self.left, self.top, self.right, self.bottom)
        return Rectangle(*(round(side * scale) for side in sides))

    def moved(self, right: int, down: int) -> "Rectangle":
        """The same so many pixels further right and down."""
        return Rectangle(self.left + right, self.top + down, self.right + right, self.bottom + down)

    def grown(self, across: int, down: int | None = None) -> "Rectangle":
        """The same with so many pixels more at the left and right, and above and below (as many, where not given)."""
        down = across if down is None else down
        return Rectangle(self.left - across, self.top - down, self.right + across, self.bottom + down)

    def cut(self, values: NDArray) -> NDArray:
        """What it covers of a picture (height, width, ...), as a view."""
        return values[self.top : self.bottom, self.left : self.right]

    def common(self, other: "Rectangle") -> "Rectangle":
        """What both cover (may be empty)."""
        left, top = max(self.left, other.left), max(self.top, other.top)
        return Rectangle(
            left,
            top,
            max(left, min(self.right, other.right)),
            max(top, min(self.bottom, other.bottom)),
        )


# In native pixels: pictures, the colour bar right of them, and the header, in which names are burned in
# (`header_rows`).
TOP_PICTURE = Rectangle(311, 139, 1088, 580)
BOTTOM_PICTURE = Rectangle(311, 591, 1088, 1031)
COLOUR_BAR = Rectangle(1385, 141, 1404, 360)
HEADER_ROWS = 90


def header_rows(width: int) -> int:
    """Rows of the header of a screen ``width`` pixels wide.

    Examples
    --------
    >>> header_rows(1440), header_rows(720)
    (90, 45)
    """
    return round(HEADER_ROWS * width / NATIVE_WIDTH)


@dataclass(frozen=True)
class UltrasoundRegion:
    """One item of Sequence of Ultrasound Regions (0018,6011) as the file states it.

    ``spatial_format`` 1 = 2D, 5 = graphics; ``data_type`` 1 = tissue, 2 = colour flow, 0xD = grey
    bar, 0xE = colour bar; ``pixel_spacing_mm`` is None unless the physical units are centimetres.
    Source: DICOM PS3.3 C.8.5.5.
    """

    rectangle: Rectangle
    spatial_format: int
    data_type: int
    pixel_spacing_mm: float | None


def tagged_parts(
    regions: Iterable[UltrasoundRegion],
) -> tuple[UltrasoundRegion, UltrasoundRegion, UltrasoundRegion] | None:
    """Upper picture, box and lower picture, which SSI stills list in this order; None where tags do not list three."""
    pictures = [region for region in regions if region.spatial_format == 1]
    return (pictures[0], pictures[1], pictures[2]) if len(pictures) == 3 else None


@dataclass(frozen=True)
class ScreenLayout:
    """Parts of one elastography screen.

    ``source`` says how they were found: by the file's ``regions``, in the ``pixels`` of the 2019 scanner's screen,
    ``found`` on another one, or by a ``profile``, whose name is ``screen``; or the box is a square drawn by ``hand``.
    ``stiff_end`` is the colour bar's: top, bottom, left or right. ``twin`` is the same picture without colours.
    ``scale`` is the bar's where it is known, or known to be unreadable; None where it is still to be read.
    """

    elastogram: Rectangle
    box: Rectangle
    twin: Rectangle | None
    colour_bar: Rectangle | None
    pixel_spacing_mm: float | None
    source: str
    stiff_end: str = "top"
    screen: str = "found"
    scale: Scale | None = None

    @property
    def box_in_twin(self) -> Rectangle | None:
        """Where the bottom picture shows what the box covers, without colours; may reach beyond the picture.

        None without a bottom picture.
        """
        top, bottom = self.elastogram, self.twin
        return None if bottom is None else self.box.moved(bottom.left - top.left, bottom.top - top.top)
