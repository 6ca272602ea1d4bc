"""What is measured in both readers' squares is what the picture and the network say of each."""

import numpy as np
import pandas as pd
import pytest
import torch

from dlre_core.dicom.reader import SweImage
from dlre_core.elastography.network_square import crop_square
from dlre_core.elastography.scale import Scale
from dlre_core.elastography.square import Square, find_square
from dlre_core.foundation.design import study_questions
from dlre_core.foundation.errors import StoreMismatch
from dlre_core.foundation.picture_store import write_shard
from dlre_core.ingestion.acquisition_table import measured_columns, picture_columns
from dlre_core.ingestion.usable_picture import IngestionSettings, usable_picture
from dlre_core.network.fibrosis_network import FibrosisNetwork
from dlre_core.network.inference import picture_probabilities
from dlre_core.reader_agreement.reader_squares import (
    printed_reader_squares,
    reader_squares_table,
    square_values,
    value_columns,
)
from dlre_core.reading.readings_file import Readings, readings_path
from tests.helpers.reading import answer, excluded
from tests.helpers.scenes import scene

SCALE = Scale(0.0, 40.0, "kPa", "file")


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    """Four pictures: two whole squares, one that cuts the Q-Box off, one without a scale, one that is excluded."""
    folder = tmp_path_factory.mktemp("study")
    first, second = (Readings(readings_path(folder, name)) for name in ("ab", "cd"))
    rows, screens = [], []
    for n in range(4):
        screen = scene(n, kpa=6.0 + 2 * n)[0].screen
        image = SweImage(screen, 1, 1, True, "", "", (), None, SCALE)
        picture = usable_picture([image], IngestionSettings())
        row = {"image_id": f"i{n}", "hospital": "A", "patient": f"p{n}"} | picture_columns(picture)
        row |= {"flags": "", "q_box_mean_kpa": measured_columns(picture)["q_box_mean_kpa"]}
        box = picture.layout.box
        found = find_square(box, *screen.shape[:2])
        moved = Square(found.row + 3, found.column - 2, found.size)
        if n == 1:
            moved = Square(found.row, box.left + box.width // 2, found.size)
        if n == 2:
            row |= {"scale_source": "unknown", "scale_minimum_kpa": None, "scale_maximum_kpa": None}
        first.put(answer(f"i{n}", square=found))
        second.put(excluded(f"i{n}") if n == 3 else answer(f"i{n}", square=moved, by_hand=True))
        rows.append(row | {"found": found, "moved": moved})
        screens.append((f"i{n}", picture.screen))
    write_shard(folder / "images.h5", screens)
    pd.DataFrame(rows).drop(columns=["found", "moved"]).to_csv(folder / "acquisitions.csv", index=False)
    return folder, rows, [screen for _, screen in screens]


@pytest.fixture(scope="module")
def networks():
    torch.manual_seed(4)
    return {stage: FibrosisNetwork().eval() for stage in study_questions()}


def test_each_square_is_measured_by_itself(study, networks):
    folder, rows, screens = study
    values = square_values(folder, folder / "images.h5", folder / "acquisitions.csv", networks)
    assert list(values.columns) == value_columns()
    assert list(values["image_id"]) == ["i0", "i1", "i2"]
    q_box = values[["q_box_mean_kpa_1", "q_box_mean_kpa_2"]].to_numpy(dtype=float)
    assert q_box[:2, 0] == pytest.approx([rows[0]["q_box_mean_kpa"], rows[1]["q_box_mean_kpa"]], abs=0.01)
    assert q_box[0, 1] == q_box[0, 0]
    assert np.isnan(q_box[1, 1])
    assert np.isnan(q_box[2]).all()
    for stage, network in networks.items():
        for number, name in ((1, "found"), (2, "moved")):
            crops = np.stack([crop_square(screens[n], rows[n][name]) for n in range(3)])
            assert values[f"{stage}_{number}"].to_numpy() == pytest.approx(
                picture_probabilities(network, crops), abs=1e-6
            )


def test_the_table_has_a_row_a_measure_and_names_nobody(study, networks):
    folder, _, _ = study
    values = square_values(folder, folder / "images.h5", folder / "acquisitions.csv", networks)
    table = reader_squares_table(values, confidence=0.95)
    assert list(table["measure"]) == ["q_box_mean_kpa", *study_questions()]
    assert list(table["pictures"]) == [1, 3, 3, 3]
    difference = (values["f4_1"] - values["f4_2"]).to_numpy()
    row = table.set_index("measure").loc["f4"]
    assert row["bias"] == pytest.approx(difference.mean())
    assert row["upper"] - row["lower"] == pytest.approx(2 * 1.959964 * difference.std(ddof=1))
    html = printed_reader_squares(table, 0.95, simulated=True).html()
    assert "Extended table 9" in html
    assert "an interval needs 5 patients" in html
    assert "cd" not in html.replace(">", " ").replace("<", " ").split()


def test_another_store_is_refused(study, networks, tmp_path):
    folder, _, screens = study
    write_shard(tmp_path / "images.h5", [("other", screens[0])])
    with pytest.raises(StoreMismatch, match="different pictures"):
        square_values(folder, tmp_path / "images.h5", folder / "acquisitions.csv", networks)
