"""What a configuration asks for: arms, splits, exhibits and optional analyses, as the rules name them."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dlre_core.foundation.study_terms import besides_the_square

# Column of the stage, by which every random split is stratified.
STAGE = "fibrosis_stage"
# Of the paper, in the order of its supplementary tables.
SUBGROUPS = ("alt", "bmi", "inflammation")


@dataclass(frozen=True)
class StudyPlan:
    """Names that the rules are written in.

    Attributes
    ----------
    arms : list of str
        In the configuration's order; the first is the main one.
    main_arm, main_split : str
    stratified : list of str
        Columns by which the main split is stratified.
    image_arms : dict of int to str
        Arms with the main split by number of pictures (Table 3).
    training_hospitals : dict of str to list of str
        Arms that hospitals divide, with those that train (Table 4).
    accuracy_tables : list of int
        Which of Tables 2 to 4 there are.
    splits : list of str
        In use, sorted.
    variants : dict of str to list of str
        For each optional analysis the other divisions of the main arm's patients.
    folds : dict of str to list of str
        Of each arm, the variants whose networks give out-of-fold predictions of its training patients.
    cutoff_folds : dict of str to list of str
        The same of the arms whose cut-offs are chosen on such predictions.
    reported_variants : list of str
        Every variant that the report needs.
    subgroups : list of int
        Numbers of the supplementary tables of subgroups.
    kinds : dict of str to dict
        Network and input of each arm, as `dlre_core.network.kinds.NetworkKind` takes them.
    compared_arms : list of str
        The main arm and those that differ from it in network or input only; empty where there are none.
    pictures : list of str
        What arms see besides the elastogram's square, of `dlre_core.foundation.study_terms.INPUTS`.
    settings : mapping
        Section ``arms`` of the configuration.
    primary_arm : str
        Whose validation cohort tests the primary hypothesis; the main one where none is named.
    """

    arms: list[str]
    main_arm: str
    main_split: str
    stratified: list[str]
    image_arms: dict[int, str]
    training_hospitals: dict[str, list[str]]
    accuracy_tables: list[int]
    splits: list[str]
    variants: dict[str, list[str]]
    folds: dict[str, list[str]]
    cutoff_folds: dict[str, list[str]]
    reported_variants: list[str]
    subgroups: list[int]
    kinds: dict[str, dict[str, str]]
    compared_arms: list[str]
    pictures: list[str]
    settings: Mapping[str, Mapping[str, Any]]
    primary_arm: str

    def varied(self, variant: str) -> Mapping[str, Any]:
        """Split and images of the arm that a variant divides anew: the one that it names, else the main one."""
        match = re.fullmatch(r"fold_[0-9]+_of_[0-9]+_of_(.+)", variant)
        return self.settings[match.group(1) if match else self.main_arm]

    def varied_kind(self, variant: str) -> dict[str, str]:
        """Network and input of the arm that a variant divides anew."""
        return _kind(self.varied(variant))

    def fold_scores(self, *arms: str) -> list[str]:
        """Files of the out-of-fold scores of arms, in their order; none of arms whose cut-offs are apparent."""
        folds = [fold for arm in arms for fold in self.cutoff_folds.get(arm, [])]
        return [f"results/robustness/{fold}/scores.csv" for fold in folds]


def study_plan(config: Mapping[str, Any], hospitals: Sequence[str]) -> StudyPlan:
    """Names of everything that the configuration asks for.

    Parameters
    ----------
    config : mapping
        The whole configuration, checked.
    hospitals : sequence of str
        Codes of the cohort's hospitals.

    Examples
    --------
    >>> splits = {"all": {"method": "random"}, "b": {"method": "hospitals", "training": ["B"]}}
    >>> arms = {"five": {"split": "all", "images": 5}, "one": {"split": "all", "images": 1}}
    >>> arms["b"] = {"split": "b", "images": 5}
    >>> robustness = {"permutations": 1, "training_percent": [50], "splits": 1, "folds": 2, "parts": 5}
    >>> robustness["analyses"] = ["fusion", "learning_curve"]
    >>> statistics = {"cutoff_from": "out_of_fold", "cutoff_arms": "main", "cutoff": "youden"}
    >>> config = {"arms": arms, "splits": splits, "robustness": robustness, "statistics": statistics, "subgroups": []}
    >>> plan = study_plan(config, ["A", "B"])
    >>> plan.stratified, plan.image_arms, plan.training_hospitals, plan.accuracy_tables
    (['fibrosis_stage'], {5: 'five', 1: 'one'}, {'b': ['B']}, [2, 3])
    >>> plan.reported_variants
    ['fold_1_of_2', 'fold_2_of_2', 'fraction_50']
    >>> plan.varied("fold_1_of_2_of_b")["split"], plan.varied("without_A")["split"]
    ('b', 'all')
    >>> plan.fold_scores("five", "b")[-1]
    'results/robustness/fold_2_of_2/scores.csv'
    >>> plan.folds["b"], plan.cutoff_folds
    (['fold_1_of_2_of_b', 'fold_2_of_2_of_b'], {'five': ['fold_1_of_2', 'fold_2_of_2']})
    """
    arms, splits, robustness = config["arms"], config["splits"], config["robustness"]
    main_arm = next(iter(arms))
    main_split = arms[main_arm]["split"]
    kinds = {name: _kind(arm) for name, arm in arms.items()}
    alike = {name: arm for name, arm in arms.items() if kinds[name] == kinds[main_arm]}
    compared = [
        name
        for name, arm in arms.items()
        if name == main_arm or (_division(arm) == _division(arms[main_arm]) and name not in alike)
    ]
    rule = splits[main_split]
    image_arms = {arm["images"]: name for name, arm in alike.items() if arm["split"] == main_split}
    training_hospitals = {
        name: splits[arm["split"]]["training"]
        for name, arm in alike.items()
        if splits[arm["split"]]["method"] == "hospitals"
    }
    apart = rule.get("external", {}).get("hospital", ())
    variants = {
        "negative_control": [f"permuted_{n + 1}" for n in range(robustness["permutations"])],
        "learning_curve": [f"fraction_{percent}" for percent in robustness["training_percent"]],
        "repeated_splits": [f"seed_{n + 1}" for n in range(robustness["splits"])],
        "cross_validation": [f"part_{n + 1}_of_{robustness['parts']}" for n in range(robustness["parts"])],
        "hospitals_left_out": [f"without_{hospital}" for hospital in hospitals if hospital not in apart],
    }
    folds = {
        arm: [
            f"fold_{k + 1}_of_{robustness['folds']}" + ("" if arm == main_arm else f"_of_{arm}")
            for k in range(robustness["folds"])
        ]
        for arm in arms
    }
    chosen = config["statistics"]
    out_of_fold = chosen["cutoff_from"] == "out_of_fold" and chosen["cutoff"] != "reoptimised"
    of_arms = list(arms) if chosen["cutoff_arms"] == "all" else [main_arm]
    cutoff_folds = {arm: folds[arm] for arm in of_arms if out_of_fold}
    needed = variants | {"fusion": folds[main_arm]}
    reported = [name for names in cutoff_folds.values() for name in names]
    reported += [name for analysis in robustness["analyses"] for name in needed.get(analysis, [])]
    return StudyPlan(
        arms=list(arms),
        main_arm=main_arm,
        main_split=main_split,
        stratified=list(rule.get("stratify_by", [STAGE])) if rule["method"] == "random" else [],
        image_arms=image_arms,
        training_hospitals=training_hospitals,
        accuracy_tables=[2] + [3] * (len(image_arms) > 1) + [4] * (len(training_hospitals) > 1),
        splits=sorted({arm["split"] for arm in arms.values()}),
        variants=variants,
        folds=folds,
        cutoff_folds=cutoff_folds,
        reported_variants=list(dict.fromkeys(reported)),
        subgroups=[SUBGROUPS.index(name) + 1 for name in SUBGROUPS if name in config["subgroups"]],
        kinds=kinds,
        compared_arms=compared if len(compared) > 1 else [],
        pictures=sorted({name for kind in kinds.values() for name in besides_the_square(kind.get("input", "square"))}),
        settings=arms,
        # An arm that could not be trained is none of them.
        primary_arm=named if (named := (config.get("primary_hypothesis") or {}).get("cohort")) in arms else main_arm,
    )


def _kind(arm: Mapping[str, Any]) -> dict[str, str]:
    return {key: arm[key] for key in ("network", "input") if key in arm}


def _division(arm: Mapping[str, Any]) -> tuple[str, int]:
    return arm["split"], arm["images"]
