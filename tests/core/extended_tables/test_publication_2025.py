"""Findings of 2025 beside a study's own."""

import pandas as pd
import pytest

from dlre_core.extended_tables.publication_2025 import beside_publication, printed_publication
from dlre_core.foundation.design import design_of, read_design, use_design
from dlre_core.foundation.errors import ConfigurationError

TABLE_2 = pd.DataFrame(
    {
        "stage": "cacld",
        "cohort": ["validation", "validation", "training"],
        "method": ["dlre", "lsm", "lsm"],
        "auc": [0.901, 0.841, 0.5],
        "auc_low": [0.87, 0.8, 0.4],
        "auc_high": [0.93, 0.88, 0.6],
        "p_value": [float("nan"), 0.0123, 0.9],
        "notes": "",
    }
)
TESTS = pd.DataFrame(
    {
        "stage": "cacld",
        "grouping": ["Country", "Country", "Maker"],
        "method": ["lsm", "lsm", "dlre"],
        "first": ["all groups", "CN", "all groups"],
        "p_value": [0.0004, 0.5, 0.61],
    }
)


def test_every_finding_stands_beside_the_published_one():
    use_design(design_of(read_design("international_2025")))
    table = beside_publication(TABLE_2, TESTS)
    ours = table.set_index(["finding", "method", "grouping"])["ours"]
    assert ours["auc", "dlre", ""] == "0.90 (0.87 to 0.93)"
    assert ours["p_value", "lsm", ""] == "0.012"
    assert ours["heterogeneity", "lsm", "Country"] == "<0.001"
    # Nothing was tested there.
    assert ours["heterogeneity", "lsm", "Aetiology"] == "–"
    printed = printed_publication(table, simulated=True)
    rows = printed.blocks[0].rows
    assert rows[0] == ["AUC of DLRE", "0.89", "0.90 (0.87 to 0.93)"]
    assert ["2D-SWE by country, p", "<0.001", "<0.001"] in rows


def test_a_study_of_other_questions_is_sent_to_the_design():
    with pytest.raises(ConfigurationError, match="asks cacld"):
        beside_publication(TABLE_2, TESTS)
