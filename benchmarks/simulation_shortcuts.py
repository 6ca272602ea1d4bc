"""Can the stage be told from anything in the simulated files but texture and stiffness?

Logistic regression and a random forest, cross-validated by patient, on (1) tags and layout: headers,
file sizes, positions, text, hospital; (2) the B-mode picture alone. Clinical variables and the Q-Box
panel, which prints the stiffness, are left out: they may tell the stage, as in life.

    PYTHONPATH=. python benchmarks/simulation_shortcuts.py [enrolled, default 600] [seed]
"""

import sys
import tempfile
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
import pandas as pd
import pydicom
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from dlre_core.elastography.screen_layout import BOTTOM_PICTURE
from dlre_core.foundation.design import lowest_stages
from dlre_core.simulation.cohort import write_clinical_csv, write_hospital
from dlre_core.simulation.presets import HOSPITAL_SIZES
from dlre_core.statistics.roc import roc_analysis
from dlre_core.tables.formatting import format_interval

PICTURES = 3
# Fields of a patient's body are clinical variables; identifiers name the row.
LEFT_OUT = {"PatientAge", "PatientSex", "PatientSize", "PatientWeight", "PatientID", "PatientName"}
TEXT = {
    "header": (slice(0, 90), slice(330, 1140)),
    "identity": (slice(0, 90), slice(0, 320)),
    "time": (slice(0, 90), slice(1150, 1440)),
    "settings": (slice(110, 540), slice(0, 300)),
}


def simulate(job):
    """Write one hospital (in a process of its own)."""
    folder, hospital, size, seed = job
    write_hospital(folder, hospital, size, seed)


def tags_and_layout(dataset, path, files):
    """Numbers and words of the header that are no clinical variables, and of the file."""
    found = {
        "file_size": path.stat().st_size,
        "files_of_patient": files,
        "syntax": dataset.file_meta.TransferSyntaxUID.name,
    }
    for element in dataset:
        if element.VR in ("SQ", "UI", "OB", "OW", "PN") or element.keyword in LEFT_OUT:
            continue
        if element.VR in ("DA", "TM"):
            found[element.keyword] = float(str(element.value)[:6] or 0)
        elif isinstance(element.value, int | float) or element.VR in ("DS", "IS"):
            found[element.keyword] = float(element.value)
        else:
            found[element.keyword] = str(element.value)
    for number, region in enumerate(dataset.get("SequenceOfUltrasoundRegions", [])):
        for element in region:
            found[f"region_{number}_{element.keyword}"] = float(element.value)
    return found


def grey_picture(screen):
    """Brightness and grain of the picture without colours, as a whole and by depth."""
    scale = screen.shape[1] / 1440
    rows = slice(round(BOTTOM_PICTURE.top * scale), round(BOTTOM_PICTURE.bottom * scale))
    columns = slice(round(BOTTOM_PICTURE.left * scale), round(BOTTOM_PICTURE.right * scale))
    grey = screen[rows, columns].mean(axis=2)
    found = {f"percentile_{p}": np.percentile(grey, p) for p in (5, 25, 50, 75, 95, 99)}
    found |= {"mean": grey.mean(), "sd": grey.std(), "black": (grey < 3).mean()}
    found["gradient_x"] = np.abs(np.diff(grey, axis=1)).mean()
    found["gradient_y"] = np.abs(np.diff(grey, axis=0)).mean()
    for number, band in enumerate(np.array_split(grey, 8)):
        middle = band[:, band.shape[1] // 4 : 3 * band.shape[1] // 4]
        found |= {f"mean_{number}": middle.mean(), f"sd_{number}": middle.std()}
    return found


def patient_features(job):
    """Both feature sets of a patient, averaged over the first pictures where they are numbers."""
    folder, hospital, patient = job
    paths = sorted((Path(folder) / "dicom" / hospital / patient).glob("*.dcm"))
    tags, grey = [], []
    for path in paths[:PICTURES]:
        dataset = pydicom.dcmread(path)
        screen = dataset.pixel_array
        screen = screen[0] if screen.ndim == 4 else screen
        row = tags_and_layout(dataset, path, len(paths))
        scale = screen.shape[1] / 1440
        for name, (rows, columns) in TEXT.items():
            part = screen[
                round(rows.start * scale) : round(rows.stop * scale),
                round(columns.start * scale) : round(columns.stop * scale),
            ]
            row[f"text_{name}"] = part.mean()
        tags.append(row | {"hospital": hospital})
        grey.append(grey_picture(screen))
    return patient, summary(tags), summary(grey)


def summary(rows):
    """Means of numbers and the first of words."""
    table = pd.DataFrame(rows)
    numbers = table.select_dtypes("number").mean()
    words = table.select_dtypes(exclude="number").iloc[0]
    return {**numbers, **words}


def examine(name, table, stages, seed):
    """Print the cross-validated AUC of both models for the three questions."""
    features = pd.get_dummies(table).astype(float)
    features = features.fillna(features.mean()).loc[:, lambda x: x.nunique() > 1].to_numpy()
    models = {
        "logistic regression": make_pipeline(StandardScaler(), LogisticRegression(C=0.1, max_iter=2000)),
        "random forest": RandomForestClassifier(400, min_samples_leaf=3, random_state=seed, n_jobs=-1),
    }
    folds = StratifiedKFold(5, shuffle=True, random_state=seed)
    for words, model in models.items():
        cells = []
        for least in lowest_stages().values():
            labels = (stages >= least).astype(int)
            p = cross_val_predict(model, features, labels, cv=folds, method="predict_proba")[:, 1]
            cells.append(format_interval(roc_analysis(labels, p).estimate, 3))
        print(f"| {name} ({features.shape[1]}) | {words} | " + " | ".join(cells) + " |", flush=True)


def main(size, seed):
    """Simulate, extract, examine."""
    with tempfile.TemporaryDirectory() as folder, ProcessPoolExecutor() as pool:
        write_clinical_csv(Path(folder) / "clinical.csv", size, seed)
        list(pool.map(simulate, [(folder, hospital, size, seed) for hospital in HOSPITAL_SIZES]))
        clinical = pd.read_csv(Path(folder) / "clinical.csv", dtype={"patient_id": str})
        stages = clinical.set_index("patient_id")["fibrosis_stage"]
        jobs = [
            (folder, hospital, patient.name)
            for hospital in HOSPITAL_SIZES
            for patient in sorted((Path(folder) / "dicom" / hospital).iterdir())
        ]
        found = list(pool.map(patient_features, jobs, chunksize=8))
    truth = stages.loc[[row[0] for row in found]].to_numpy()
    print(f"{len(found)} patients with pictures, seed {seed}, {PICTURES} pictures each\n")
    print("| features (number) | model | F4 | >=F3 | >=F2 |\n|---|---|---|---|---|")
    tags = pd.DataFrame([row[1] for row in found])
    examine("tags and layout", tags, truth, seed)
    examine("tags and layout without file size", tags.drop(columns="file_size"), truth, seed)
    examine("B-mode alone", pd.DataFrame([row[2] for row in found]), truth, seed)


if __name__ == "__main__":
    main(
        int(sys.argv[1]) if len(sys.argv) > 1 else 600,
        int(sys.argv[2]) if len(sys.argv) > 2 else 2019,
    )
