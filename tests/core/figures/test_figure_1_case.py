"""Figure 1 on a drawn screen: the case chosen, its measures, and a chart that shows the network's layers."""

from itertools import combinations

import numpy as np
import pandas as pd
import pytest
import torch
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.text import Text
from torch import nn
from torch.nn import functional

from dlre_core.elastography.screen_layout import BOTTOM_PICTURE, COLOUR_BAR, TOP_PICTURE
from dlre_core.elastography.square import find_square
from dlre_core.figures.captions import figure_1_caption
from dlre_core.figures.figure_1_case import choose_case, figure_1, read_case
from dlre_core.figures.network_chart import network_blocks
from dlre_core.figures.style import save_figure
from dlre_core.foundation.errors import StoreMismatch
from dlre_core.foundation.picture_store import write_shard
from dlre_core.network.fibrosis_network import FibrosisNetwork
from tests.helpers.scenes import scene


def test_the_chart_has_the_layers_of_the_paper():
    network = FibrosisNetwork()
    blocks = network_blocks(network)
    # Gut 2019;68:729, figure 1B.
    assert [block.size for block in blocks] == [
        (3, 250, 250),
        (16, 125, 125),
        (32, 62, 62),
        (32, 31, 31),
        (32, 15, 15),
        (32,),
        (1,),
    ]
    convolution = ("3 × 3 convolution", "2 × 2 max pooling", "ReLU")
    assert [block.steps for block in blocks] == [
        (),
        *[convolution] * 4,
        ("flattened to 7,200", "fully connected", "ReLU"),
        ("fully connected",),
    ]
    assert [block.name for block in blocks[1:]] == [
        *(f"convolutions.{number}" for number in range(4)),
        "hidden",
        "output",
    ]
    assert sum(b.parameters for b in blocks) == sum(p.numel() for p in network.parameters())


def test_another_network_is_shown_as_it_is():
    class Other(nn.Module):
        def __init__(self):
            super().__init__()
            self.first = nn.Conv2d(3, 8, kernel_size=5, stride=2)
            self.last = nn.Linear(8, 3)

        def forward(self, images):
            maps = torch.sigmoid(functional.max_pool2d(self.first(images), 3))
            return self.last(maps.mean((2, 3)))

    blocks = network_blocks(Other())
    assert blocks[1].steps == ("5 × 5 convolution", "3 × 3 max pooling", "sigmoid", "mean")
    assert [block.size for block in blocks] == [(3, 250, 250), (8,), (3,)]


def tables(**changes):
    """Five pictures of three patients; the patient of the last is not enrolled."""
    acquisitions = pd.DataFrame(
        {
            "image_id": list("edcba"),
            "hospital": "A",
            "patient": ["p", "p", "q", "q", "r"],
            "flags": ["", "", "", "no_time", ""],
            "fill_fraction": [0.99, 0.95, 0.95, 0.99, 0.99],
            "q_box_mean_kpa": [9.0, 16.0, 24.0, 20.0, 20.0],
            "scale_minimum_kpa": 0.0,
            "scale_maximum_kpa": 40.0,
            "scale_unit": "kPa",
            "scale_source": "label",
            "layout_source": "pixels",
            "stiff_end": "top",
            "screen": "found",
        }
    ).assign(**changes)
    rois = acquisitions[["image_id"]].assign(row=1, column=2, size=250, scale=1.0, flags="")
    split = pd.DataFrame({"hospital": "A", "patient": ["p", "q"], "fibrosis_stage": [1, 4], "cohort": "training"})
    return acquisitions, rois, split


def test_the_case_is_unflagged_well_filled_and_mid_scale_whatever_the_order():
    acquisitions, rois, split = tables()
    # c and d are as far from 20 kPa as each other.
    assert choose_case(acquisitions, rois, split)["image_id"] == "c"
    assert choose_case(acquisitions[::-1], rois, split[::-1])["image_id"] == "c"
    nearest = tables(q_box_mean_kpa=[19.0, 16.0, 24.0, 20.0, 20.0])
    assert choose_case(*nearest)["image_id"] == "e"
    cut = rois.assign(flags=np.where(rois["image_id"] == "c", "box_cut", ""))
    assert choose_case(acquisitions, cut, split)["image_id"] == "d"
    assert choose_case(*tables(fill_fraction=[0.99, 0.5, 0.5, 0.5, 0.5]))["image_id"] == "e"
    assert choose_case(*tables(q_box_mean_kpa=np.nan))["image_id"] == "c"
    with pytest.raises(StoreMismatch, match="No patient of the split"):
        choose_case(acquisitions, rois, split[:0])


@pytest.fixture(scope="module")
def drawn(tmp_path_factory):
    """What was drawn, and the case that was read back from a store."""
    rendered, _ = scene(seed=3, kpa=20.0)
    box, height, width = rendered.box, *rendered.screen.shape[:2]
    path = tmp_path_factory.mktemp("store") / "images.h5"
    write_shard(path, [("other", rendered.screen[::-1]), ("c", rendered.screen)])
    places = {"elastogram": TOP_PICTURE, "box": box, "twin": BOTTOM_PICTURE, "colour_bar": COLOUR_BAR}
    parts = {
        f"{name}_{side}": getattr(place, side)
        for name, place in places.items()
        for side in ("left", "top", "right", "bottom")
    }
    acquisitions, rois, split = tables(
        **parts,
        pixel_spacing_mm=np.nan,
        opacity=np.nan,
        layout_source="pixels",
        q_box_diameter_mm=20.0,
        q_box_source="given",
    )
    square = find_square(box, height, width)
    rois = rois.assign(row=square.row, column=square.column, size=square.size)
    row = choose_case(acquisitions, rois, split)
    return rendered, read_case(row, path), path


def test_the_case_is_measured_as_it_was_drawn(drawn):
    rendered, case, path = drawn
    assert case.layout.box == rendered.box
    assert case.kpa.shape == (rendered.box.height, rendered.box.width)
    assert case.q_box_mean_kpa == pytest.approx(rendered.q_box[0], rel=0.05)
    caption = figure_1_caption(case.row, case.q_box_mean_kpa, True)
    assert f"{case.q_box_mean_kpa:.1f} kPa read from the picture, 24.0 kPa by" in caption
    assert caption.endswith("hospital A, training cohort, biopsy F4. Simulated data.")
    assert "No Q-Box circle" in figure_1_caption(case.row, None, False)
    with pytest.raises(StoreMismatch, match="lacks a picture"):
        read_case(case.row.replace("c", "z"), path)


def test_what_is_marked_lies_where_it_is_and_no_words_overlap(drawn):
    rendered, case, _ = drawn
    figure = figure_1(case, simulated=True)
    screen = next(axis for axis in figure.axes if "stored screen" in axis.get_title("left"))
    found = {patch.get_label(): patch for patch in screen.patches}
    box, square = found["Elastography box"], found["The network's square"]
    assert box.get_xy() == (rendered.box.left - 0.5, rendered.box.top - 0.5)
    assert (box.get_width(), box.get_height()) == (rendered.box.width, rendered.box.height)
    assert (square.get_x() + 0.5, square.get_y() + 0.5) == (case.square.column, case.square.row)
    assert found["Q-Box"].center == (case.q_box.centre_column, case.q_box.centre_row)
    # By the box's height, where no tag gives the scale.
    assert found["Q-Box"].radius == pytest.approx(10 / 31.3 * rendered.box.height, rel=0.1)
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    renderer = canvas.get_renderer()
    # Panels without axes keep tick labels that nobody sees.
    unseen = {
        text
        for panel in figure.axes
        if not panel.axison
        for scale in (panel.xaxis, panel.yaxis)
        for text in scale.findobj(Text)
    }
    words = [
        (text.get_text(), text.get_window_extent(renderer))
        for text in figure.findobj(Text)
        if text.get_text() and text.get_visible() and text not in unseen
    ]
    assert len(words) > 25
    pairs = combinations(words, 2)
    assert [(a, b) for (a, here), (b, there) in pairs if here.overlaps(there)] == []
    whole = figure.bbox
    outside = [word for word, at in words if at.x0 < 0 or at.y0 < 0 or at.x1 > whole.x1 or at.y1 > whole.y1]
    assert outside == []


def test_the_same_case_gives_the_same_bytes_and_says_simulated_only_where_it_is(drawn, tmp_path):
    _, case, _ = drawn
    for name in "ab":
        files = [tmp_path / f"{name}.{form}" for form in ("svg", "png", "txt")]
        save_figure(figure_1(case, simulated=True), "Caption.", *files)
    first = (tmp_path / "a.svg").read_text()
    assert first == (tmp_path / "b.svg").read_text()
    assert all(words in first for words in ("Simulated data", "32 × 15 × 15", "kPa"))
    real = figure_1(case, simulated=False).findobj(Text)
    assert not any("Simulated" in text.get_text() for text in real)
