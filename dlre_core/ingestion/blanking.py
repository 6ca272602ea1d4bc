"""Blank everything on a screen that could name the patient."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from dlre_core.elastography.screen_layout import (
    BOTTOM_PICTURE,
    NATIVE_WIDTH,
    TOP_PICTURE,
    Rectangle,
    ScreenLayout,
    header_rows,
)

# On the native screen: where annotations begin.
FIRST_ANNOTATION_ROW = 960
# Pictures may lie this share of the screen's width beside their usual places.
SLACK = 0.02


def kept_parts(layout: ScreenLayout, height: int, width: int, squares: Sequence[Rectangle] = ()) -> list[Rectangle]:
    """What the study looks at of a screen; everything else may name the patient.

    Kept are the two pictures, as far as they lie where they do on every known screen, and the colour bar, without
    the header and, below the box, without the rows where screens show annotations. Where the layout had to be found
    in the pixels, an archive may have burned its own overlay into the pictures, and where tags put the box elsewhere,
    nobody knows where such a screen has its texts: then only the box, its place in the bottom picture and
    the squares are kept of them.

    Parameters
    ----------
    layout : ScreenLayout
    height, width : int
        Of the screen, pixels.
    squares : sequence of Rectangle
        What the network may see: the square around the box, or the one drawn by hand.

    Returns
    -------
    list of Rectangle
        Inside the screen; none lies in another.
    """
    below = layout.box_in_twin.common(layout.twin) if layout.twin else None
    if layout.source in ("found", "profile"):
        # Of another maker's screen only what is looked at is known to be free of texts.
        around = [square.common(layout.elastogram) for square in squares]
        return _apart([*around, layout.box, below, layout.colour_bar], height, width)
    header = header_rows(width)
    annotations = round(FIRST_ANNOTATION_ROW * width / NATIVE_WIDTH)
    rows, below_header = (Rectangle(0, header, width, bottom) for bottom in (annotations, height))
    top, bottom = layout.elastogram, layout.twin
    usual_top, usual_bottom = (_usual(place, width) for place in (TOP_PICTURE, BOTTOM_PICTURE))
    usual = layout.box.common(usual_top) == layout.box
    if usual:
        top = top.common(usual_top)
    if layout.source == "regions" and usual:
        around = [top, bottom.common(usual_bottom) if bottom else None]
    else:
        around = [square.common(top) for square in squares]
    measured = [layout.box, below]
    kept = [part.common(rows) for part in around if part]
    kept += [part.common(below_header) for part in measured if part]
    return _apart([*kept, layout.colour_bar], height, width)


def _apart(parts: Sequence[Rectangle | None], height: int, width: int) -> list[Rectangle]:
    """Parts inside the screen; none lies in another."""
    inside = {part.clamped(height, width): None for part in parts if part}
    return [
        part
        for part in inside
        if part.width > 0
        and part.height > 0
        and not any(part != other and part.common(other) == part for other in inside)
    ]


def blank_identity(
    screen: NDArray[np.uint8], parts: Sequence[Rectangle], identity: Sequence[Rectangle] = ()
) -> NDArray[np.uint8]:
    """A copy with everything black but these parts, and in them black where names are known to be.

    Parameters
    ----------
    screen : (height, width, 3) uint8
    parts : sequence of Rectangle
        As `kept_parts` returns them.
    identity : sequence of Rectangle
        As a profile states them; may reach out of the screen.

    Returns
    -------
    (height, width, 3) uint8
    """
    kept = np.zeros_like(screen)
    for part in parts:
        part.cut(kept)[:] = part.cut(screen)
    for place in identity:
        place.clamped(*screen.shape[:2]).cut(kept)[:] = 0
    return kept


def _usual(place: Rectangle, width: int) -> Rectangle:
    """Where a picture lies on every known screen, with some slack."""
    scaled, slack = place.scaled(width / NATIVE_WIDTH), round(SLACK * width)
    return Rectangle(scaled.left - slack, scaled.top - slack, scaled.right + slack, scaled.bottom + slack)
