"""Methods in words: what a study did, from its configuration and its counts, ready to be edited into a paper."""

import html
import importlib.metadata
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from dlre_core import __version__
from dlre_core.comparators.registry import COMPARATORS
from dlre_core.foundation.design import DEFAULT, Method, design_in_use, read_design, short_labels
from dlre_core.foundation.study_terms import COHORTS, EXTERNAL, INPUT_WORDS, PAPERS_NETWORK, STIFFNESS_NETWORK
from dlre_core.patients.enrolment import EnrolmentSettings
from dlre_core.report.page_templates import environment
from dlre_core.tables.formatting import in_words
from dlre_core.tables.primary_hypothesis import SUPERIORITY, claim, stated

# [[key]] in a sentence cites one of these: author, title, journal with volume and pages, year, DOI.
REFERENCES: Mapping[str, tuple[str, str, str, str, str]] = {
    "wang": (
        "Wang, K. and others",
        "Deep learning Radiomics of shear wave elastography significantly improved diagnostic performance for "
        "assessing liver fibrosis in chronic hepatitis B",
        "Gut 68:729-741",
        "2019",
        "10.1136/gutjnl-2018-316204",
    ),
    "metavir": (
        "Bedossa, P. and Poynard, T.",
        "An algorithm for the grading of activity in chronic hepatitis C",
        "Hepatology 24:289-293",
        "1996",
        "10.1002/hep.510240201",
    ),
    "apri": (
        "Wai, C. T. and others",
        "A simple noninvasive index can predict both significant fibrosis and cirrhosis in patients with chronic "
        "hepatitis C",
        "Hepatology 38:518-526",
        "2003",
        "10.1053/jhep.2003.50346",
    ),
    "fib4": (
        "Sterling, R. K. and others",
        "Development of a simple noninvasive index to predict significant fibrosis in patients with HIV/HCV "
        "coinfection",
        "Hepatology 43:1317-1325",
        "2006",
        "10.1002/hep.21178",
    ),
    "adamw": ("Loshchilov, I. and Hutter, F.", "Decoupled weight decay regularization", "ICLR", "2019", ""),
    "delong": (
        "DeLong, E. R. and DeLong, D. M. and Clarke-Pearson, D. L.",
        "Comparing the areas under two or more correlated receiver operating characteristic curves",
        "Biometrics 44:837-845",
        "1988",
        "10.2307/2531595",
    ),
    "holm": (
        "Holm, S.",
        "A simple sequentially rejective multiple test procedure",
        "Scandinavian Journal of Statistics 6:65-70",
        "1979",
        "",
    ),
    "youden": (
        "Youden, W. J.",
        "Index for rating diagnostic tests",
        "Cancer 3:32-35",
        "1950",
        "10.1002/1097-0142(1950)3:1<32::AID-CNCR2820030106>3.0.CO;2-3",
    ),
    "snakemake": (
        "Mölder, F. and others",
        "Sustainable data analysis with Snakemake",
        "F1000Research 10:33",
        "2021",
        "10.12688/f1000research.29032.2",
    ),
}
CITED = re.compile(r" ?\[\[(\w+)\]\]")
CUT_OFFS = {
    "youden": "the highest Youden index [[youden]]",
    "sensitivity_90": "a sensitivity of 90 %",
    "specificity_90": "a specificity of 90 %",
    "reoptimised": "the highest Youden index [[youden]], anew in every cohort, which is optimistic",
}
STRATIFIED_BY = {"fibrosis_stage": "stage", "manufacturer": "maker"}
READERS = {"one": "A reader", "two": "Two readers, independently,"}
INTERVALS = {"clopper-pearson": "Clopper and Pearson's", "wilson": "Wilson's", "jeffreys": "Jeffreys'"}


@dataclass(frozen=True)
class StudyCounts:
    """Numbers of a study's patients, hospitals and pictures.

    Attributes
    ----------
    eligible, enrolled : int
        Patients.
    hospitals, pictures : int
        Of the enrolled patients.
    training, validation, external : int
        Patients of the first arm.
    """

    eligible: int
    enrolled: int
    hospitals: int
    pictures: int
    training: int
    validation: int
    external: int = 0


def study_counts(enrolment: pd.DataFrame, scores: pd.DataFrame) -> StudyCounts:
    """Numbers of a study.

    Parameters
    ----------
    enrolment : DataFrame
        ``results/enrolment/enrolment.csv``.
    scores : DataFrame
        ``results/scores/{arm}.csv`` of the first arm.
    """
    enrolled = enrolment[enrolment["enrolled"] == 1]
    training, validation, external = (int((scores["cohort"] == cohort).sum()) for cohort in (*COHORTS, EXTERNAL))
    return StudyCounts(
        eligible=len(enrolment),
        enrolled=len(enrolled),
        hospitals=enrolled["hospital"].nunique(),
        pictures=int(scores["images"].sum()),
        training=training,
        validation=validation,
        external=external,
    )


def methods_paragraphs(config: Mapping[str, Any], counts: StudyCounts, simulated: bool) -> dict[str, str]:
    """Paragraphs by heading; ``[[key]]`` cites one of `REFERENCES`.

    Parameters
    ----------
    config : mapping
        The whole configuration, checked.
    counts : StudyCounts
    simulated : bool
    """
    return {
        "Patients and pictures": " ".join(_patients(config, counts, simulated)),
        "Network": " ".join(_network(config)),
        "Statistics": " ".join([*_hypothesis(config), *_statistics(config)]),
    }


def write_methods(
    paragraphs: Mapping[str, str], *, page: str | Path, tex: str | Path, bibliography: str | Path, simulated: bool
) -> None:
    """Write the paragraphs as a page and as LaTeX, with a BibTeX file of what they cite.

    Parameters
    ----------
    paragraphs : mapping of heading to text
    page, tex, bibliography : path
    simulated : bool
    """
    cited = list(dict.fromkeys(key for text in paragraphs.values() for key in CITED.findall(text)))
    numbers = {key: number for number, key in enumerate(cited, start=1)}
    texts = [
        (heading, CITED.sub(lambda found: f"<sup>{numbers[found[1]]}</sup>", html.escape(text, quote=False)))
        for heading, text in paragraphs.items()
    ]
    listed = [_listed(*REFERENCES[key]) for key in cited]
    template = environment().get_template("methods.html.j2")
    Path(page).write_text(template.render(paragraphs=texts, references=listed, simulated=simulated), encoding="utf-8")
    parts = [
        "\\paragraph{" + heading + "} " + CITED.sub(r"~\\cite{\1}", _escaped(text)) + "\n"
        for heading, text in paragraphs.items()
    ]
    Path(tex).write_text("\n".join(parts), encoding="utf-8")
    Path(bibliography).write_text("\n".join(_entry(key, *REFERENCES[key]) for key in cited), encoding="utf-8")


def _patients(config: Mapping[str, Any], counts: StudyCounts, simulated: bool) -> list[str]:
    criteria, readings = config["enrolment"], config["readings"]["readers"]
    kind = "simulated patients" if simulated else "patients"
    text = [
        f"Of {counts.eligible} eligible {kind}, {counts.enrolled} of {counts.hospitals} hospitals were enrolled. "
        f"{_enrolled(criteria)} {_staged(config)}",
        "A picture was of sufficient quality if at least "
        f"{100 * config['ingestion']['minimum_fill']:g} % of the measurement box carried colour and at most "
        f"{100 * config['ingestion']['maximum_saturated']:g} % of the coloured box was at the end of the scale.",
    ]
    if readings != "none":
        text.append(f"{READERS[readings]} reviewed all pictures, blind to everything else.")
    text.append("Liver stiffness was the median of the Q-Box means of a patient's pictures." + _computed(config))
    first = next(iter(config["arms"].values()))
    split = config["splits"][first["split"]]
    by = [STRATIFIED_BY.get(name, name.replace("_", " ")) for name in split.get("stratify_by", ["fibrosis_stage"])]
    how = "by hospital" if split["method"] == "hospitals" else f"at random, stratified by {in_words(by)}"
    if counts.external:
        named = " or ".join(f"{name} {in_words(values)}" for name, values in split["external"].items())
        text.append(
            f"The {counts.external} patients with {named} were an external cohort, which had no part in training."
        )
    text.append(
        f"{'The other patients' if counts.external else 'Patients'} were divided {how} into a training cohort of "
        f"{counts.training} and a validation cohort of {counts.validation}; no patient and no picture, nor one that "
        f"looks nearly the same, is in {'two of them' if counts.external else 'both'}."
    )
    return text


def _enrolled(settings: Mapping[str, Any]) -> str:
    if settings["criteria"] != read_design(DEFAULT)["enrolment"]["criteria"]:
        criteria = EnrolmentSettings(**settings).rules[1:]
        excluded = "; ".join(criterion.sentence[0].lower() + criterion.sentence[1:] for criterion in criteria)
        return f"Patients were excluded for the first of these that applied: {excluded}."
    return (
        f"They were at least {settings['minimum_age_years']} years old, had been positive for HBsAg for more than "
        f"{settings['minimum_hbsag_positive_months']} months, had no other liver disease, viral coinfection, liver "
        "transplantation or antiviral treatment in the last six months, and had a biopsy of at least "
        f"{settings['minimum_biopsy_length_mm']} mm with at least {settings['minimum_portal_tracts']} portal tracts, "
        f"serology and biopsy within {settings['maximum_days_from_elastography']} days of the elastography, and "
        f"{settings['images_per_patient']} pictures of sufficient quality."
    )


def _computed(config: Mapping[str, Any]) -> str:
    """How the comparators besides stiffness were computed, with what they were taken from."""
    methods = [method for method in design_in_use().comparators if method.name != "lsm"]
    named = [f"{m.label} [[{m.name}]]" if m.name in REFERENCES else f"{m.label}{_source(m)}" for m in methods]
    if not named:
        return ""
    text = f" {in_words(named)} were computed from serology"
    if "apri" in (method.name for method in methods):
        limits = config["statistics"]
        text += f", APRI with an upper limit of normal of AST of {limits['ast_upper_limit_of_normal_iu_l']:g} IU/L"
        text += ", or the hospital's own" * bool(limits["ast_upper_limit_of_normal_by_hospital_iu_l"])
    return f"{text}."


def _source(method: Method) -> str:
    source = COMPARATORS[method.name].source if method.name in COMPARATORS else method.source
    return f" ({source})" if source else ""


def _staged(config: Mapping[str, Any]) -> str:
    scales = sorted({str(unit["unit"]) for unit in config.get("units", []) if unit["column"] == "fibrosis_stage"})
    given = f", to which stages by {' and '.join(scales)} were mapped" if scales else ""
    return f"Fibrosis was staged by METAVIR [[metavir]]{given}."


_PAPERS_LAYERS = (
    "four 3 x 3 convolutions (16, 32, 32 and 32 maps), each followed by a rectifier and 2 x 2 max pooling, 32 nodes "
    "and a probability"
)
LAYERS = {
    PAPERS_NETWORK: _PAPERS_LAYERS,
    STIFFNESS_NETWORK: f"{_PAPERS_LAYERS}, before which the standardised logarithm of liver stiffness joined the nodes",
    "residual": "a 3 x 3 convolution, four residual blocks (16, 32, 64 and 64 maps) with group normalisation, the mean "
    "of the maps and a probability",
}


def _network(config: Mapping[str, Any]) -> list[str]:
    training, views = config["training"], config["training"]["augmentation"]
    arm = next(iter(config["arms"].values()))
    names = list(short_labels().values())
    balanced = {
        "augmentation": "Classes were balanced by drawing the rarer one more often.",
        "weights": "Classes were balanced by weights of the loss.",
        "none": "Classes were not balanced.",
    }
    network, seen = arm.get("network", PAPERS_NETWORK), arm.get("input", "square")
    what = "" if seen == "square" else f" ({INPUT_WORDS[seen]})"
    text = [
        f"One convolutional network per question ({', '.join(names)}) took a square of 250 x 250 pixels around the "
        f"measurement box{what} [[wang]]: {LAYERS.get(network, f'the network {network}')}. A patient's score was the "
        f"{config['statistics']['aggregate']} over {arm['images']} pictures.",
        f"Networks were trained by AdamW [[adamw]] with a learning rate of {training['learning_rate']:g}, a weight "
        f"decay of {training['weight_decay']:g} and batches of {training['batch_size']}, for at most "
        f"{training['epochs']} epochs and {training['maximum_steps']:,} steps. {balanced[training['balance']]}",
        f"Views were shifted by up to {views['shift_pixels']} pixels, turned by up to {views['rotation_degrees']:g} "
        f"degrees and scaled by up to {100 * views['scale']:g} %"
        + (", and mirrored" if views["flip_horizontal"] or views["flip_vertical"] else "")
        + (
            f"; stiffness was multiplied through the colour map (SD of its logarithm {views['stiffness']:g})."
            if views["stiffness"] and seen == "square"
            else "."
        ),
        f"{100 * training['stopping_fraction']:g} % of the training patients decided between the last epochs; "
        "validation patients decided nothing.",
    ]
    return text


def _hypothesis(config: Mapping[str, Any]) -> list[str]:
    """The primary hypothesis, where one is named."""
    hypothesis = stated(config.get("primary_hypothesis"))
    if hypothesis is None:
        return []
    sides = "two-sided, at" if hypothesis.aim == SUPERIORITY else "one-sided, at half of"
    level = f"{100 * (1 - config['statistics']['confidence']):.3g} %"
    return [
        f"The primary hypothesis, of {hypothesis.aim.replace('_', '-')}, was that {claim(hypothesis)}; it was tested "
        f"by DeLong's test [[delong]], {sides} {level}, without adjustment. All other comparisons are secondary."
    ]


def _statistics(config: Mapping[str, Any]) -> list[str]:
    chosen, level = config["statistics"], f"{100 * config['statistics']['confidence']:g} %"
    if chosen["cutoff"] == "reoptimised":
        where = "in each cohort"
    elif chosen["cutoff_from"] == "out_of_fold":
        where = (
            f"in the training cohort, those of the network on predictions of {config['robustness']['folds']} networks "
            "for patients whom they had not been fitted to,"
        )
    else:
        where = "in the training cohort, on the networks' own training patients,"
    packages = [f"{name} {importlib.metadata.version(name)}" for name in ("torch", "scipy", "scikit-learn", "numpy")]
    return [
        f"AUCs have {level} confidence intervals by "
        + {"delong": "DeLong's method", "logit": "DeLong's method on the logit scale"}.get(
            chosen["auc_interval"], "Clopper and Pearson's method"
        )
        + " and were compared by DeLong's test [[delong]] in patients with both scores; p-values were adjusted by Holm "
        "[[holm]] within a table. With fewer than five cases or controls there is no interval and no test.",
        f"Cut-offs were chosen {where} by {CUT_OFFS[chosen['cutoff']]}. Sensitivity, specificity and predictive values "
        f"have {INTERVALS[chosen['proportion_interval']]} intervals.",
        "A two-sided p below 0.05, before adjustment, was called significant.",
        f"All was computed by DLRE {__version__} on Python with {', '.join(packages)}, as a workflow of Snakemake "
        f"{importlib.metadata.version('snakemake')} [[snakemake]].",
    ]


def _listed(authors: str, title: str, place: str, year: str, doi: str) -> str:
    named = authors.replace(" and others", " et al.").replace(" and ", "; ")
    return f"{named} {title}. {place}, {year}." + (f" doi:{doi}" if doi else "")


def _entry(key: str, authors: str, title: str, place: str, year: str, doi: str) -> str:
    journal, _, volume = place.rpartition(" ") if ":" in place else (place, "", "")
    fields = {"author": authors, "title": f"{{{title}}}", "journal": journal, "year": year}
    if volume:
        fields |= dict(zip(("volume", "pages"), volume.replace("-", "--").split(":"), strict=True))
    if doi:
        fields["doi"] = doi
    lines = "".join(f"  {name} = {{{_escaped(value)}}},\n" for name, value in fields.items())
    return f"@article{{{key},\n{lines}}}\n"


def _escaped(text: str) -> str:
    """What LaTeX would take for its own, but ``{}`` of a title."""
    for sign, written in (("%", "\\%"), ("&", "\\&"), ("≥", "$\\geq$"), ("<", "\\textless{}")):
        text = text.replace(sign, written)
    return text
