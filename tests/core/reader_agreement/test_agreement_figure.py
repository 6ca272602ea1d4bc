"""The figure of agreement: every hospital's numbers are there, and no text lies over another."""

import itertools

import numpy as np
import pandas as pd
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.text import Text

from dlre_core.figures.style import save_figure
from dlre_core.reader_agreement.agreement_figure import agreement_caption, agreement_figure
from dlre_core.reader_agreement.agreement_table import COLUMNS
from dlre_core.reader_agreement.reader_squares import measures, reader_squares_table, value_columns


def tables(hospitals, pictures):
    rng = np.random.default_rng(5)
    rows = []
    for hospital in ("All", *hospitals):
        row = dict.fromkeys(COLUMNS, np.nan) | {"compared": "between", "hospital": hospital, "notes": ""}
        row |= {"pictures": 1200, "both": 1000, "one": 150, "none": 50, "unsure": 3}
        row |= {"kappa": 0.6, "kappa_low": 0.3, "kappa_high": 0.9, "ac1": 0.9, "ac1_low": 0.8, "ac1_high": 1.0}
        rows.append(row)
    rows[-1] |= {"kappa": np.nan, "ac1": np.nan, "notes": "both accept all, or exclude all"}
    values = pd.DataFrame({"image_id": [f"i{n}" for n in range(pictures)], "hospital": "A"})
    values["patient"] = [f"p{n // 4}" for n in range(pictures)]
    for name in measures():
        values[f"{name}_1"] = rng.uniform(0, 1, pictures)
        values[f"{name}_2"] = values[f"{name}_1"] + rng.normal(0, 0.1, pictures)
    return pd.DataFrame(rows, columns=COLUMNS), values[value_columns()]


@pytest.mark.parametrize(("hospitals", "pictures"), [("A", 0), ("AB", 40), ("ABCDEFGHIJKL", 60)])
def test_no_text_lies_over_another(hospitals, pictures):
    table, values = tables(hospitals, pictures)
    measures = reader_squares_table(values, confidence=0.95)
    figure = agreement_figure(table, values, measures, simulated=True)
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    outside = {
        tick.label1
        for axis in figure.axes
        for side, (low, high) in ((axis.xaxis, sorted(axis.get_xlim())), (axis.yaxis, sorted(axis.get_ylim())))
        for tick in side.get_major_ticks()
        if not low <= tick.get_loc() <= high
    }
    words = [word for axis in figure.axes for word in axis.findobj(Text) if word not in outside]
    words = [word for word in words if word.get_text().strip() and word.get_visible()]
    assert {"1000 / 150 / 50", "A  Acceptance", "Gwet's AC1"} <= {word.get_text() for word in words}
    places = [(word.get_text(), word.get_window_extent(canvas.get_renderer())) for word in words]
    width, height = canvas.get_width_height()
    for text, place in places:
        assert place.x0 >= 0, text
        assert place.x1 <= width, text
        assert place.y1 <= height, text
    over = [(a, b) for (a, x), (b, y) in itertools.combinations(places, 2) if x.padded(-1).overlaps(y.padded(-1))]
    assert over == []


def test_the_caption_says_how_many_and_the_bytes_are_the_same_every_time(tmp_path):
    table, values = tables("AB", 40)
    caption = agreement_caption(table, values, 0.95, simulated=True)
    assert "1200 pictures" in caption
    assert "40 pictures that both accept" in caption
    assert caption.endswith("Simulated data.")
    measures = reader_squares_table(values, confidence=0.95)
    made = []
    for number in (1, 2):
        paths = [tmp_path / f"{number}.{form}" for form in ("svg", "png", "txt")]
        save_figure(agreement_figure(table, values, measures, simulated=True), caption, *paths)
        made.append([path.read_bytes() for path in paths])
    assert made[0] == made[1]
