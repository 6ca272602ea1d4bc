"""Extended table 14 and Extended figure 6: numbers by hand, and words where there are none."""

import numpy as np
import pandas as pd
import pytest

from dlre_core.extended_tables.choices import choices_table
from dlre_core.generalisability.repeatability import (
    measure_names,
    printed_repeatability,
    reliability_curve,
    repeatability_table,
)
from dlre_core.generalisability.repeatability_figure import repeatability_caption, repeatability_figure
from dlre_core.heterogeneity.repeated_measurements import repeatability


def study(patients=40, pictures=4, seed=3):
    rng = np.random.default_rng(seed)
    whose = np.repeat(np.arange(patients), pictures)
    stage = whose % 5
    predictions = pd.DataFrame(
        {
            "hospital": "A",
            "patient": [f"P{i:02d}" for i in whose],
            "cohort": np.where(whose < patients // 4, "training", "validation"),
            "fibrosis_stage": stage,
            "acquisition": np.tile(np.arange(1, pictures + 1), patients),
            "image_id": [f"i{k}" for k in range(len(whose))],
        }
    )
    for name in ("f4", "ge_f3", "ge_f2"):
        predictions[name] = 1 / (1 + np.exp(2 - stage + 0.5 * rng.normal(size=len(whose))))
    kpa = 4 + 2 * stage + rng.normal(size=len(whose)).clip(-2, 2)
    return predictions, pd.DataFrame({"image_id": predictions["image_id"], "q_box_mean_kpa": kpa})


def test_the_table_is_of_the_validation_patients_pictures():
    predictions, acquisitions = study()
    table = repeatability_table(predictions, acquisitions).set_index("measure")
    assert list(table.index) == list(measure_names())
    here = predictions["cohort"] == "validation"
    found = repeatability(predictions.loc[here, "ge_f3"], predictions.loc[here, "patient"])
    row = table.loc["ge_f3"]
    assert (row["patients"], row["measurements"], row["per_patient"]) == (30, 120, 4)
    assert row[["icc_single", "icc_single_low", "icc_single_high"]].tolist() == pytest.approx(
        [found.single.value, found.single.low, found.single.high]
    )
    kpa = acquisitions["q_box_mean_kpa"].to_numpy().reshape(40, 4)[10:]
    stiff = table.loc["lsm"]
    assert stiff["bias"] == pytest.approx((kpa[:, 1] - kpa[:, 0]).mean())
    assert stiff["upper"] - stiff["lower"] == pytest.approx(2 * 1.959964 * (kpa[:, 1] - kpa[:, 0]).std(ddof=1))
    quartiles = np.percentile(kpa, [25, 50, 75], axis=1)
    assert stiff["iqr"] == pytest.approx(np.median(quartiles[2] - quartiles[0]))
    share = (quartiles[2] - quartiles[0]) / quartiles[1]
    assert stiff["iqr_over_median"] == pytest.approx(np.median(share))
    assert (stiff["spread_out"], stiff["spread_known"]) == ((share > 0.3).sum(), 30)


def test_missing_stiffness_takes_a_picture_and_not_the_patient():
    predictions, acquisitions = study()
    acquisitions.loc[acquisitions.index[-1], "q_box_mean_kpa"] = np.nan
    table = repeatability_table(predictions, acquisitions).set_index("measure")
    assert (table.loc["lsm", "measurements"], table.loc["lsm", "patients"]) == (119, 30)
    aucs = choices_table(predictions, acquisitions)
    assert set(aucs.loc[aucs["method"] == "lsm", "n_missing"]) == {1}
    assert aucs["auc"].notna().all()


def test_too_few_patients_are_words():
    predictions, acquisitions = study(patients=5)
    table = repeatability_table(predictions, acquisitions)
    assert table["icc_single"].isna().all()
    printed = printed_repeatability(table, 0.95, simulated=True)
    cells = printed.blocks[0].rows[0]
    assert cells[3] == cells[4] == "4 patients measured twice, fewer than 5"
    aucs = choices_table(predictions, acquisitions)
    assert aucs["auc_low"].isna().all()
    assert aucs["notes"].str.contains("fewer than 5").all()
    figure = repeatability_figure(reliability_curve(table, 4), aucs, simulated=True)
    words = [text.get_text() for axis in figure.axes for text in axis.texts]
    assert "No curve: too few patients" in words
    assert any("fewer than 5" in text for text in words)


def test_one_picture_each_has_no_repeatability():
    predictions, acquisitions = study(pictures=1)
    table = repeatability_table(predictions, acquisitions)
    assert table["notes"].str.contains("0 patients measured twice").all()
    printed_repeatability(table, 0.95, simulated=False)
    repeatability_figure(reliability_curve(table, 1), choices_table(predictions, acquisitions), simulated=False)


def test_the_exhibit_says_what_it_shows():
    predictions, acquisitions = study()
    table, aucs = repeatability_table(predictions, acquisitions), choices_table(predictions, acquisitions)
    html = printed_repeatability(table, 0.9, simulated=True).html()
    assert "Extended table 14. Repeatability" in html
    assert "90 % confidence" in html
    curve = reliability_curve(table, 4)
    first = curve[(curve["measure"] == "lsm") & (curve["images"] == 1)]
    assert first["reliability"].item() == pytest.approx(table.set_index("measure").loc["lsm", "icc_single"])
    figure = repeatability_figure(curve, aucs, simulated=True)
    assert [axis.get_title(loc="left")[:1] for axis in figure.axes] == list("ABCD")
    assert "30 validation patients" in repeatability_caption(aucs, 0.9, simulated=True)


def test_the_difference_from_all_pictures_is_delongs_of_the_averaged_placements():
    aucs = choices_table(*study())
    part = aucs[(aucs["stage"] == "ge_f2") & (aucs["method"] == "dlre")].set_index("images")
    assert part.loc[1, "difference"] == pytest.approx(part.loc[1, "auc"] - part.loc[4, "auc"])
    assert part.loc[1, "difference_low"] < part.loc[1, "difference"] < part.loc[1, "difference_high"]
    assert part.loc[4, "difference"] == 0
    assert np.isnan(part.loc[4, "difference_low"])
