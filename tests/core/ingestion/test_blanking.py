"""Only the pictures and the colour bar stay of a screen."""

import numpy as np

from dlre_core.elastography.screen_layout import Rectangle, ScreenLayout
from dlre_core.ingestion.blanking import blank_identity, kept_parts


def layout(source="regions"):
    return ScreenLayout(
        elastogram=Rectangle(156, 70, 544, 290),
        box=Rectangle(275, 125, 395, 225),
        twin=Rectangle(156, 296, 544, 516),
        colour_bar=Rectangle(693, 71, 702, 180),
        pixel_spacing_mm=0.2,
        source=source,
    )


def kept_rows_and_columns(screen):
    rows, columns = np.nonzero(screen.any(axis=2))
    return {int(r) for r in rows}, {int(c) for c in columns}


def blanked(screen, layout, squares=()):
    return blank_identity(screen, kept_parts(layout, *screen.shape[:2], squares))


def test_parts_are_told_once():
    # The box lies in the top picture, its twin in the bottom one, and this square in the box.
    parts = kept_parts(layout(), 540, 720, [Rectangle(300, 130, 310, 140)])
    assert parts == [Rectangle(156, 70, 544, 290), Rectangle(156, 296, 544, 480), Rectangle(693, 71, 702, 180)]


def test_only_pictures_and_colour_bar_stay():
    screen = np.full((540, 720, 3), 200, dtype=np.uint8)
    kept = blanked(screen, layout())
    # 960 of 1440 columns is row 480 here: below it, screens write annotations.
    expected = np.zeros_like(screen)
    expected[70:290, 156:544] = expected[296:480, 156:544] = expected[71:180, 693:702] = 200
    np.testing.assert_array_equal(kept, expected)
    assert (screen == 200).all()


def test_header_and_text_columns_go_even_where_a_region_tag_claims_them():
    screen = np.full((540, 720, 3), 200, dtype=np.uint8)
    lying = ScreenLayout(**{**vars(layout()), "elastogram": Rectangle(0, 0, 720, 290)})
    rows, columns = kept_rows_and_columns(blanked(screen, lying))
    # Its usual place, 156 to 544 and from 70 on, and 14 pixels more.
    assert min(rows) == 56
    assert (min(columns), max(c for c in columns if c < 693)) == (142, 557)


def test_where_tags_put_the_box_elsewhere_only_it_and_the_square_stay():
    screen = np.full((540, 720, 3), 200, dtype=np.uint8)
    other = ScreenLayout(
        **{
            **vars(layout()),
            "elastogram": Rectangle(0, 50, 300, 290),
            "box": Rectangle(20, 60, 120, 160),
            "twin": None,
        }
    )
    rows, columns = kept_rows_and_columns(blanked(screen, other, [Rectangle(5, 40, 135, 170)]))
    assert (min(rows), max(rows), min(columns)) == (50, 179, 5)
    assert max(c for c in columns if c < 693) == 134


def test_box_and_its_twin_stay_among_annotations():
    low = ScreenLayout(
        **{**vars(layout()), "box": Rectangle(275, 180, 395, 280), "twin": Rectangle(156, 296, 544, 516)}
    )
    kept = blanked(np.full((540, 720, 3), 200, dtype=np.uint8), low)
    assert kept[480:506, 275:395].all()
    assert not kept[480:506, 156:275].any()


def test_without_region_tags_only_box_twin_and_square_stay():
    screen = np.full((540, 720, 3), 200, dtype=np.uint8)
    square = Rectangle(272, 112, 397, 237)
    kept = blanked(screen, layout("pixels"), [square])
    expected = np.zeros_like(screen)
    expected[112:237, 272:397] = expected[351:451, 275:395] = expected[71:180, 693:702] = 200
    np.testing.assert_array_equal(kept, expected)
