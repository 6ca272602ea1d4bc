"""Functions and constants that the rules share: where the cohort is, and what a job depends on."""

import os
import sys

from dlre_core.foundation.design import study_questions
from dlre_core.foundation.digests import contents_digest, tree_digest
from dlre_core.foundation.processes import KEEP_MEMORY
from dlre_core.patients.cohort_folder import cohort_folder, hospital_codes, not_read
from dlre_core.patients.enrolment import EnrolmentSettings, check_criteria, eligibility_digest
from dlre_core.patients.other_tables import check_tables, hospital_tables_digest, other_tables
from dlre_core.patients.splits import dividing_columns
from dlre_core.patients.study_list import listed_digest
from dlre_core.patients.table_file import table_path
from dlre_core.preflight.input_checks import check_inputs
from dlre_core.preflight.split_checks import check_divisions
from dlre_core.preflight.trainable_arms import skipped_arms
from dlre_core.publication.archive import model_folder, pictures_seen
from dlre_core.reading.study_readings import answers_digest, readings_param, squares_param
from dlre_core.screens.profiles import profile_entries, read_profiles
from dlre_core.simulation.presets import optional_tables
from dlre_core.user_tables.units import given_units
from dlre_core.workflow.contradictions import check_hospitals
from dlre_core.workflow.study_plan import study_plan

# Jobs inherit the environment.
os.environ.update(KEEP_MEMORY)

COHORT = cohort_folder(config["cohort"])
HOSPITALS = hospital_codes(config["cohort"])
SIMULATED = config["cohort"]["source"] == "simulated"
PACS = config["cohort"]["source"] == "dicomweb"
check_hospitals(config, HOSPITALS)
EVERY_UNIT = config.get("units", [])
# Of the study's own tables: a cohort to validate in changes nothing in them.
UNITS = [unit for unit in EVERY_UNIT if not unit.get("cohort")]
READINGS = config["readings"]
CRITERIA = EnrolmentSettings(**config["enrolment"])
check_criteria(CRITERIA)
CLINICAL = str(table_path(COHORT, "clinical"))
# Snakemake deletes what a failed job had made before: an unusable table must not get that far.
if workflow.is_main_process:
    check_tables(COHORT, given_units(UNITS), may_be_absent=SIMULATED)
    read_profiles(COHORT)
    check_divisions(config, CLINICAL, HOSPITALS)
    check_inputs(config, HOSPITALS)
    for name, folder in config["validation"]["cohorts"].items():
        check_tables(folder, given_units(EVERY_UNIT, name))
        read_profiles(folder)
# Arms that cannot be trained, each with the reason. Without any arm what needs no network is made all the same.
SKIPPED_ARMS = {} if SIMULATED else skipped_arms(config, CLINICAL, HOSPITALS, anew=workflow.is_main_process)
TRAINABLE = len(SKIPPED_ARMS) < len(config["arms"])
if TRAINABLE:
    config["arms"] = {name: arm for name, arm in config["arms"].items() if name not in SKIPPED_ARMS}
# Measured values and hand-drawn squares, where the cohort has them.
SCREENS = config["cohort"].get("screens", {})
SIMULATED_TABLES = {name: f"{COHORT}/{name}.csv" for name in optional_tables(SCREENS)}
OPTIONAL_TABLES = SIMULATED_TABLES if SIMULATED else other_tables(COHORT)
QUESTIONS = study_questions()
PLAN = study_plan(config, HOSPITALS)
ARMS = sorted(PLAN.arms)
STATISTICS = config["statistics"]
ACCURACY_CHOICES = ("confidence", "cutoff", "auc_interval", "proportion_interval", "likelihood_ratio_interval")
ACCURACY_SETTINGS = {name: STATISTICS[name] for name in (*ACCURACY_CHOICES, "bootstrap_replicates", "seed")}
BOOTSTRAP = {"replicates": STATISTICS["bootstrap_replicates"], "seed": STATISTICS["seed"]}
BOOTSTRAP["confidence"] = STATISTICS["confidence"]
SUBGROUP_LIMITS = {name: STATISTICS[name] for name in ("alt_limits_iu_l", "bmi_limit_kg_m2")}
# The network's squares of all hospitals, as a rule's inputs.
SQUARES = {"rois": "results/roi/rois.h5", "table": "results/roi/rois.csv"}
RADIOMICS = "radiomics" in config["robustness"]["analyses"]
RADIOMICS_FEATURES = expand("results/radiomics/{hospital}.csv", hospital=HOSPITALS if RADIOMICS else [])


wildcard_constraints:
    analysis="|".join(PLAN.variants),
    variant=r"(permuted|seed|fraction|without|fold|part)_[\w-]+",
    hospital="|".join(HOSPITALS),
    arm="|".join(ARMS),
    split="|".join(PLAN.splits),
    stage="|".join(QUESTIONS),
    number=r"\d",
    population="enrolled|validation",
    cohort="|".join(config["validation"]["cohorts"]) or "none",
    external_hospital="[^/]+",


def growing(megabytes):
    """Memory of a job that needs more than the profile's default: as much again with every attempt."""
    return lambda wildcards, attempt: megabytes * attempt


def shown(path, category, what):
    """A table or figure that Snakemake's own report shows, too: under its number or name, with what it is."""
    kind = "figure" if path.startswith("results/figures/") else "table"
    stem, form = os.path.basename(path).rsplit(".", 1)
    name = stem.removeprefix("supplementary_").removeprefix(f"{kind}_").replace("_", " ")
    labels = {kind: name, "shows": what, "form": {"jpg": "JPEG"}.get(form, form.upper())}
    return report(path, caption=f"report/{kind}.rst", category=category, labels=labels)


def upper_limit(enzyme):
    """Upper limit of normal of an enzyme, IU/L: everywhere, and where hospitals have their own."""
    return [STATISTICS[f"{enzyme}_upper_limit_of_normal_{where}iu_l"] for where in ("", "by_hospital_")]


UPPER_LIMITS = {"ast_iu_l": upper_limit("ast"), "ggt_iu_l": upper_limit("ggt")}


def printed_table(path, category=None, what=None, prefix=""):
    """Outputs of a table: at full precision, and rounded for print; with a category, shown by Snakemake's report."""
    csv = shown(f"{path}.csv", category, what) if category else f"{path}.csv"
    return {f"{prefix}csv": csv, f"{prefix}html": f"{path}.html", f"{prefix}tex": f"{path}.tex"}


def drawn_figure(path, category=None, what=None, prefix=""):
    """Outputs of a figure, and its caption as text; with a category, shown by Snakemake's report."""
    svg = shown(f"{path}.svg", category, what) if category else f"{path}.svg"
    return {f"{prefix}svg": svg, f"{prefix}png": f"{path}.png", f"{prefix}text": f"{path}.txt"}


def weights(folder):
    """Files of an arm's networks, by stage."""
    return {stage: f"{folder}/{stage}.safetensors" for stage in QUESTIONS}


def contents(*paths):
    """Parameter function: a digest of what files hold, whatever their times say."""
    return lambda wildcards: contents_digest(*paths)


def frozen_model(folder):
    """Parameter function: a digest of a frozen study and, through their manifest, its networks."""
    manifest = f"{folder}/model_repository/dlre/1/manifest.json"
    return contents(f"{folder}/frozen_study.json", manifest)


def eligible_of(split):
    """Digest of who can be enrolled, and of what the split divides them by."""
    by = dividing_columns(config["splits"][split])
    return eligibility_digest(CLINICAL, HOSPITALS, CRITERIA, given_units(UNITS), by)


def hospital_folder(wildcards):
    """One hospital's DICOM tree; where a PACS is the source, once its studies have been pulled."""
    if PACS:
        checkpoints.pull_hospital.get(hospital=wildcards.hospital)
    return f"{COHORT}/dicom/{wildcards.hospital}"


def pictures_digest(folder):
    """Digest of a DICOM tree, whatever its file times say; it is remembered, and larger files are not read."""
    return tree_digest(folder, ".dlre/digests", config["ingestion"]["limits"]["bytes_per_file"])


if workflow.is_main_process and not SIMULATED:
    for sentence in [*not_read(COHORT), *(f"Skipped: {arm}. {reason}" for arm, reason in SKIPPED_ARMS.items())]:
        print(sentence, file=sys.stderr)


# Which cohorts `make validate` names, and where their files are.
VALIDATED = config["validation"]["cohorts"]
# Absolute, so that no job of this study makes it: nothing is trained to validate.
VALIDATION_MODEL = os.path.abspath(model_folder(config["validation"]["model"], ".dlre/models"))
VALIDATED_HOSPITALS = {name: hospital_codes({"source": "folder", "folder": path}) for name, path in VALIDATED.items()}
VALIDATED_CLINICAL = {name: str(table_path(folder, "clinical")) for name, folder in VALIDATED.items()}
VALIDATED_TABLES = {name: other_tables(folder) for name, folder in VALIDATED.items()}
VALIDATED_FILES = {"table": "table_2.csv", "printed": "table_2.html", "roc": "roc.svg", "enrolment": "enrolment.csv"}
VALIDATED_FILES |= {"calibration": "calibration.svg", "calibration_table": "calibration.html"}
VALIDATED_FILES |= {"calibration_csv": "calibration.csv", "counts": "counts.csv"}
VALIDATED_FILES |= {"recalibration": "recalibration.html", "recalibration_csv": "recalibration.csv"}


def of_hospitals(pattern):
    """Input function: a file for each of the cohort's hospitals."""
    return lambda wildcards: expand(
        f"results/validation/{wildcards.cohort}/{pattern}", external_hospital=VALIDATED_HOSPITALS[wildcards.cohort]
    )
