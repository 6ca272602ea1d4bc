"""After a change, what depends on it is run again, and nothing else."""

import os
import re
import shutil

import pandas as pd
import pytest

# What stands at the end of every chain.
END = {"report", "headline", "all"}
FIGURES = {
    "figure_1",
    "figure_2",
    "figure_3",
    "figure_4",
    "figure_5",
    "supplementary_figure_1",
    "subgroup_figure",
    "calibration_figure",
    "decision_figure",
    "forest_figure",
    "roc_band_figure",
    "repeatability_figure",
    "headline_figure",
    "heat_maps",
    "contact_sheets",
}
# Tables of scores, and what is made of these tables.
SCORED = {
    "table_2",
    "table_3",
    "table_4",
    "supplementary_table",
    "counts",
    "calibration",
    "predictive_values",
    "hospitals",
    "stages",
    "differences",
    "dual_cutoffs",
    "paired_accuracy",
    "recalibration",
    "fairness",
    "intention_to_diagnose",
    "events",
    "biases",
    "optimism",
    "decision_curves",
    "audit_study",
    "frozen_study",
}
SCORED_FIGURES = FIGURES - {"figure_1", "figure_2", "supplementary_figure_1", "contact_sheets", "repeatability_figure"}
TRAINING = {"train", "model_repository", "predict", "scores"}


@pytest.fixture
def study(finished_study, tmp_path):
    return finished_study.copy(tmp_path / "copy")


def first_picture(study):
    return min((study.folder / "results/simulated_cohort/dicom/A").rglob("*.dcm"))


def replace(path, before, after):
    text = path.read_text()
    assert before in text
    path.write_text(text.replace(before, after))


def edit_clinical(study, column, change):
    path = study.folder / "results/simulated_cohort/clinical.csv"
    table = pd.read_csv(path, dtype=str, keep_default_na=False)
    enrolled = table.index[table["antiviral_treatment_6_months"] == "0"][0]
    table.loc[enrolled, column] = change(table.loc[enrolled, column])
    table.to_csv(path, index=False)


def every_rule(study):
    """Names of the rules of the whole study, the target included."""
    output = study.snakemake("--dry-run", "--cores", "2", "--forceall", "--quiet", "rules").stdout
    counts = output[output.index("Job stats:") : output.index("total")]
    return {line.split()[0] for line in counts.splitlines() if re.search(r"\s\d+$", line)}


def test_a_copy_has_nothing_to_do(study):
    assert study.pending() == set()


def test_a_touched_file_reruns_nothing(study):
    os.utime(first_picture(study))
    os.utime(study.folder / "results/simulated_cohort/clinical.csv")
    assert study.pending() == set()


def test_a_changed_picture_with_an_old_time_reruns_its_chain(study):
    picture = first_picture(study)
    times = os.stat(picture)
    content = bytearray(picture.read_bytes())
    content[-1] ^= 1
    picture.write_bytes(content)
    os.utime(picture, ns=(times.st_atime_ns, times.st_mtime_ns))
    pending = study.pending()
    assert {"ingest_hospital", "crop_rois", "split", "report"} | TRAINING <= pending
    assert not {"simulate_hospital", "clinical_table"} & pending
    output = study.snakemake("--dry-run", "--cores", "2").stdout
    assert re.search(r"ingest_hospital\s+1\b", output), output


def test_a_new_file_reruns_its_hospital(study):
    picture = first_picture(study)
    shutil.copy(picture, picture.with_name("new.dcm"))
    output = study.snakemake("--dry-run", "--cores", "2").stdout
    assert re.search(r"ingest_hospital\s+1\b", output), output


def test_a_new_patient_ingests_one_hospital_and_simulates_nothing(study):
    path = study.folder / "results/simulated_cohort/clinical.csv"
    table = pd.read_csv(path, dtype=str, keep_default_na=False)
    known = first_picture(study).parent
    patient = table[table["patient_id"] == known.name].assign(patient_id="A9999")
    pd.concat([table, patient]).to_csv(path, index=False)
    shutil.copytree(known, known.with_name("A9999"))
    output = study.snakemake("--dry-run", "--cores", "2").stdout
    for rule in ("ingest_hospital", "crop_rois"):
        assert re.search(rf"^{rule}\s+1$", output, re.MULTILINE), output
    untouched = {
        "simulate_clinical",
        "simulate_hospital",
        "simulated_measurements",
        "audit_published",
        "checklist",
        "other_tables",
    }
    assert study.pending() == every_rule(study) - untouched


@pytest.mark.parametrize("old_time", [False, True])
def test_a_corrected_laboratory_value_retrains_nothing(study, old_time):
    path = study.folder / "results/simulated_cohort/clinical.csv"
    times = os.stat(path)
    edit_clinical(study, "ast_iu_l", lambda value: str(int(float(value)) + 7))
    if old_time:
        os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))
    pending = study.pending()
    # Enrolment and table 1 read the same clinical table; nothing upstream of the scores is run.
    enrolment = {"clinical_table", "enrolment", "table_1", "figure_2", "failure_rates"}
    # Methods in words count patients.
    assert pending == enrolment | {"scores", "methods_text"} | SCORED | SCORED_FIGURES | END


def test_a_corrected_stage_retrains(study):
    edit_clinical(study, "fibrosis_stage", lambda value: "3" if value == "4" else "4")
    pending = study.pending()
    assert {"clinical_table", "split", "report"} | TRAINING <= pending
    assert not {"ingest_hospital", "crop_rois"} & pending


def test_another_cutoff_reruns_statistics_only(study):
    study.configure(statistics={"cutoff": "sensitivity_90"})
    uses_cutoffs = {
        "table_2",
        "table_3",
        "table_4",
        "supplementary_table",
        "counts",
        "predictive_values",
        "hospitals",
        "stages",
        "differences",
        "paired_accuracy",
        "fairness",
        "intention_to_diagnose",
        "audit_study",
        "frozen_study",
        "methods_text",
    }
    figures = {
        "figure_3",
        "figure_4",
        "figure_5",
        "subgroup_figure",
        "forest_figure",
        "headline_figure",
        "heat_maps",
    }
    assert study.pending() == uses_cutoffs | figures | END


def test_a_figures_style_redraws_figures_only(study):
    replace(study.folder / "dlre_core/figures/style.py", '"font.size": 8.5', '"font.size": 9')
    assert study.pending() == FIGURES | END


def test_a_line_of_the_statistics_retrains_nothing(study):
    path = study.folder / "dlre_core/statistics/estimates.py"
    path.write_text(path.read_text() + "\nADDED = 1\n")
    pending = study.pending()
    assert pending >= SCORED | SCORED_FIGURES | END
    assert not {"train", "predict", "ingest_hospital"} & pending


def test_a_line_of_the_kernels_retrains(study):
    path = study.folder / "dlre_core/augmentation/sampling_kernels.py"
    path.write_text(path.read_text() + "\nADDED = 1\n")
    assert study.pending() >= TRAINING


def test_a_docstring_reruns_nothing(study):
    replace(
        study.folder / "dlre_core/comparators/serum_indices.py",
        "Serum fibrosis indices",
        "Serum indices",
    )
    assert study.pending() == set()


def test_an_unreadable_clinical_table_stops_before_anything_is_lost(study):
    path = study.folder / "results/simulated_cohort/clinical.csv"
    good = path.read_text()
    path.write_text(good.replace("fibrosis_stage", "stage", 1))
    stopped = study.snakemake("--cores", "2", check=False)
    assert stopped.returncode != 0
    end = " ".join(stopped.stdout[stopped.stdout.index("Nothing was run.") :].split())
    assert "lacks the column fibrosis_stage" in end
    assert "make clinical-template" in end
    assert 'File "' not in stopped.stdout
    path.write_text(good)
    assert study.pending() == set()


def test_a_failed_job_is_tried_again_and_its_log_has_the_last_word(study):
    path = study.folder / "results/store/acquisitions.csv"
    replace(path, "image_id", "id")
    failed = study.snakemake("--cores", "2", check=False)
    assert failed.returncode != 0
    end = failed.stdout[failed.stdout.index("The study stopped.") :]
    assert "lacks the columns image_id" in " ".join(end.split())
    assert "Put it right" in end
    # Nothing of Snakemake's comes after it.
    assert end.rstrip().endswith("what is finished stays finished.")
    lost = {"scores", "contact_sheets"} & study.pending()
    assert lost, "a failed job was taken for done"


def test_every_job_has_a_file_that_the_whole_study_asks_for(study):
    summary = study.snakemake("--detailed-summary").stdout
    lines = summary[summary.index("output_file") :].splitlines()
    columns = lines[0].split("\t")
    jobs: dict[str, list[str]] = {}
    for line in lines[1:]:
        row = dict(zip(columns, line.split("\t"), strict=False))
        # A job's log is its own.
        jobs.setdefault(row["log-file(s)"], []).append(row["output_file"])
    dry_run = study.snakemake("--dry-run", "--cores", "2", "--forcerun", "all").stdout
    asked = set(re.search(r"rule all:\n    input: (.*)", dry_run).group(1).split(", "))
    assert len(jobs) > 80
    assert [files for files in jobs.values() if not asked & set(files)] == []
