"""A frozen study without networks."""

from dlre_core.serving.frozen_study import FrozenStudy


def study(**changes):
    facts = {
        "title": "",
        "simulated": True,
        "arm": "a",
        "images_per_patient": 2,
        "aggregate": "mean",
        "cutoff_choice": "youden",
        "cutoffs": {"dlre": {"f4": 0.5, "ge_f3": 0.5, "ge_f2": 0.5}},
        "training_range": {"brightness": (100.0, 200.0)},
        "own_validation": {},
        "own_patients": {},
        "training_patients": 1,
        "scale_maximum_kpa": 40.0,
        "manifest": "",
        "pictures": (),
        "looks": (),
    }
    return FrozenStudy(**facts | changes)
