"""What is doubted of pictures is said with its number, zero included."""

import pandas as pd

from dlre_core.ingestion.picture_doubts import picture_doubts

NOTHING = [
    "Pictures without a date, of which nobody knows the examination, used with a flag: 0 of 2.",
    "Pictures of which only a square drawn by hand is used, with the hospital's stiffness or none: 0 of 2, "
    "0 of them without colours to judge.",
    "Pictures of another examination than the clinical row's, left out: 0.",
    "Copies of an acquisition that counts once, left out: 0.",
    "Pictures sent for another patient as well: 0 used with a flag, 0 left out.",
    "Pictures left out since an anonymiser gave them one SOP Instance UID: 0.",
]


def test_zero_is_said():
    stored = pd.DataFrame({"flags": [float("nan"), "clip_cut_off"]})
    assert picture_doubts(stored, pd.DataFrame({"code": ["surplus", "duplicate"]})) == NOTHING
    assert picture_doubts(stored, pd.DataFrame({"code": []})) == NOTHING


def test_every_number_is_that_of_its_kind():
    flags = ["no_time", "clip_cut_off;no_time", "also_sent_for_another_patient", ""]
    flags += ["no_time;square_by_hand_only", "square_by_hand_only;quality_unknown", "square_by_hand_only"]
    codes = [
        "other_examination",
        "several_examinations",
        "same_acquisition",
        "two_patients",
        "constant_uid",
    ]
    rejects = pd.DataFrame({"code": [code for n, code in enumerate(codes) for _ in range(2**n)]})
    numbers = [
        "3 of 7.",
        "3 of 7, 1 of them without colours to judge.",
        "3.",
        "4.",
        "1 used with a flag, 8 left out.",
        "16.",
    ]
    said = picture_doubts(pd.DataFrame({"flags": flags}), rejects)
    assert [sentence.rpartition(": ")[2] for sentence in said] == numbers
