"""Write the simulated cohort: clinical table, and one hospital's folder of pictures at a time."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from pathlib import Path

import numpy as np
import pandas as pd

from dlre_core.foundation.csv_tables import read_table, write_table
from dlre_core.simulation.bmode import Look, PictureGeometry, simulate_bmode
from dlre_core.simulation.export import Acquisition, Patient, hand_drawn_square, write_acquisition, write_truth
from dlre_core.simulation.other_screens import DrawnScreen, draw_screen
from dlre_core.simulation.patients import LATENT_COLUMNS, simulate_with_latents
from dlre_core.simulation.presets import HOSPITAL_SIZES, number_enrolled
from dlre_core.simulation.screen import BOX_HEIGHT_MM, Captions, Placement
from dlre_core.simulation.screen_designs import DESIGNS, KPA, MachineSettings, Scale, ScreenDesign, machine_settings
from dlre_core.simulation.texture import Field, Nuisance, simulate_field

NEEDED = 5
EXAMPLE_SEED, EXAMPLE_COHORT = 1_000_003, 40
WRONG_SCALE_KPA = 60.0
SEVERITY_SPREAD = 0.45
MEAN_SEVERITY = 0.87
MEASUREMENT_COLUMNS = [
    "hospital",
    "patient_id",
    "file",
    "q_box_mean_kpa",
    "q_box_min_kpa",
    "q_box_max_kpa",
    "q_box_sd_kpa",
    "q_box_diameter_mm",
    "q_box_depth_cm",
]
# Depth settings, cm, and how often they are used.
DEPTHS_CM = (7, 8, 9, 10, 11, 12, 14, 16)
DEPTH_SHARES = (0.08, 0.70, 0.10, 0.05, 0.03, 0.02, 0.01, 0.01)
SQUARE_COLUMNS = ["row", "column", "size"]


@dataclass(frozen=True)
class HospitalScreens:
    """What a hospital's machine shows (a name of `DESIGNS`), and its files: dicom or png, with squares or without."""

    layout: str = "stacked"
    files: str = "dicom"
    squares: bool = False


@dataclass(frozen=True)
class _Scanner:
    look: Look
    design: ScreenDesign
    settings: MachineSettings
    screens: HospitalScreens


@dataclass(frozen=True)
class _Examination:
    """What stays the same over the acquisitions of a patient."""

    row: pd.Series
    patient: Patient
    geometry: PictureGeometry
    look: Look
    scanner: _Scanner
    skin_mm: float
    top_mm: float
    steering: float
    start: datetime
    generator: np.random.Generator


def write_clinical_csv(path: str | Path, size: str | int, seed: int) -> None:
    """Write ``clinical.csv`` of the simulated cohort, eligible patients, by hospital and number."""
    table = simulate_with_latents(number_enrolled(size), seed)
    table = table.drop(columns=[*LATENT_COLUMNS, *(c for c in table if c.startswith("q_box_mean"))])
    write_table(table.sort_values(["hospital", "patient_id"], ignore_index=True), path)


def write_hospital(
    folder: str | Path,
    hospital: str,
    size: str | int,
    seed: int,
    *,
    texture_signal: float = 1.0,
    truth_folder: str | Path | None = None,
    screens: HospitalScreens | None = None,
) -> pd.DataFrame:
    """Write the picture files of one hospital.

    Every patient has a random stream of their own, so any hospital alone gives the same bytes as
    all together, whatever the number of processes.

    Parameters
    ----------
    folder : path
        The cohort's folder; files go to ``dicom/<hospital>/<patient_id>/``.
    hospital : str
        A to L.
    size : str or int
        demo, paper, or a number of enrolled patients.
    seed : int
    texture_signal : float
        1: texture follows the stage; 0: it does not (a negative control).
    truth_folder : path, optional
        Where to write what the pipeline must not see: stiffness fields, boxes and latents.
    screens : HospitalScreens, optional
        None: the 2019 scanner's, as DICOM.

    Returns
    -------
    DataFrame
        This hospital's rows of ``measurements.csv``; with squares also `SQUARE_COLUMNS`, which are ``roi.csv``'s.
    """
    if hospital not in HOSPITAL_SIZES:
        raise ValueError(f"hospital {hospital!r} is none of {', '.join(HOSPITAL_SIZES)}")
    cohort = simulate_with_latents(number_enrolled(size), seed)
    return write_pictures(
        folder, hospital, cohort, seed, texture_signal=texture_signal, truth_folder=truth_folder, screens=screens
    )


def write_pictures(
    folder: str | Path,
    hospital: str,
    cohort: pd.DataFrame,
    seed: int,
    *,
    texture_signal: float = 1.0,
    truth_folder: str | Path | None = None,
    screens: HospitalScreens | None = None,
) -> pd.DataFrame:
    """Write the picture files of one hospital of any simulated cohort, as `write_hospital` does.

    Parameters
    ----------
    folder, seed, texture_signal, truth_folder, screens
        As `write_hospital` takes them.
    hospital : str
        One character.
    cohort : DataFrame
        All patients, as `dlre_core.simulation.patients.simulate_with_latents` returns them; a patient's random stream
        follows from the row's number.

    Returns
    -------
    DataFrame
        As `write_hospital` returns it.
    """
    folder = Path(folder)
    (folder / "dicom" / hospital).mkdir(parents=True, exist_ok=True)
    screens = screens or HospitalScreens()
    scanner = _scanner(hospital, seed, screens)
    rows: list[dict[str, object]] = []
    for index in np.flatnonzero(cohort["hospital"] == hospital):
        row = cohort.iloc[index]
        if row["reason"] in ("", "failed_elastography"):
            generator = np.random.default_rng([seed, 3, int(index)])
            examination = _examine(row, scanner, generator)
            truth = None if truth_folder is None else Path(truth_folder)
            rows += _acquire(folder, examination, texture_signal, seed, truth)
    table = pd.DataFrame(rows, columns=MEASUREMENT_COLUMNS + SQUARE_COLUMNS * screens.squares)
    return table.sort_values(["patient_id", "file"], ignore_index=True)


def join_measurements(
    parts: Sequence[str | Path | pd.DataFrame], measurements: str | Path, roi: str | Path | None = None
) -> None:
    """Join the hospitals' tables, as `write_hospital` returns them, into ``measurements.csv`` and ``roi.csv``.

    Parameters
    ----------
    parts : sequence of path or DataFrame
    measurements : path
    roi : path, optional
        Written where a hospital has squares; may be None where none has.
    """
    tables = [part if isinstance(part, pd.DataFrame) else read_table(part) for part in parts]
    whole = pd.concat([table for table in tables if len(table)] or tables[:1], ignore_index=True)
    write_table(whole[MEASUREMENT_COLUMNS], measurements)
    if roi is not None:
        squares = whole.reindex(columns=["file", *SQUARE_COLUMNS]).dropna()
        write_table(squares.astype(dict.fromkeys(SQUARE_COLUMNS, "int64")), roi)


def write_examples(folder: str | Path, seed: int) -> None:
    """Write four patients of another cohort than the seed's study: F0-1, F2, F3 and F4.

    Parameters
    ----------
    folder : path
        Files go to ``dicom/<hospital>/<patient_id>/`` below it.
    seed : int
        Of the study that must not have seen them.
    """
    own_seed = seed + EXAMPLE_SEED
    cohort = simulate_with_latents(EXAMPLE_COHORT, own_seed)
    for highest in (1, 2, 3, 4):
        fits = (cohort["reason"] == "") & (cohort["fibrosis_stage"].clip(lower=1) == highest)
        index = int(np.flatnonzero(fits)[0])
        row = cohort.iloc[index].copy()
        row["patient_id"] = f"EXAMPLE{highest}"
        generator = np.random.default_rng([own_seed, 3, index])
        examination = _examine(row, _scanner(row["hospital"], seed, HospitalScreens()), generator)
        (Path(folder) / "dicom" / row["hospital"]).mkdir(parents=True, exist_ok=True)
        _acquire(Path(folder), examination, 1.0, own_seed, None)


def _scanner(hospital: str, seed: int, screens: HospitalScreens) -> _Scanner:
    generator = np.random.default_rng([seed, 4, ord(hospital)])
    look = Look(
        contrast=generator.uniform(0.82, 1.0),
        attenuation_db_mm=generator.uniform(0.10, 0.22),
        offset_db=generator.uniform(27, 32),
        gain=generator.uniform(2.9, 3.5),
    )
    opacity = float(generator.choice([0.5, 0.5, 0.6, 0.65]))
    design = DESIGNS[screens.layout]
    settings = machine_settings(design, np.random.default_rng([seed, 5, ord(hospital)]))
    settings = replace(settings, scale=design.scales[0])
    if screens.layout == "stacked":
        settings = replace(settings, opacity=opacity)
    return _Scanner(look, design, settings, screens)


def _examine(row: pd.Series, scanner: _Scanner, generator: np.random.Generator) -> _Examination:
    depth_cm = int(generator.choice(DEPTHS_CM, p=DEPTH_SHARES))
    look = replace(
        scanner.look,
        offset_db=scanner.look.offset_db + generator.normal(0, 1.2),
        gain=scanner.look.gain * np.exp(generator.normal(0, 0.04)),
    )
    skin = float(np.clip(15.5 + 0.75 * (row["bmi_kg_m2"] - 22.8) + generator.normal(0, 2.2), 9, 28))
    day: date = row["elastography_date"]
    seconds = int(generator.integers(8 * 3600, 17 * 3600))
    return _Examination(
        row=row,
        patient=Patient(
            row["hospital"],
            row["patient_id"],
            row["sex"],
            int(row["age_years"]),
            float(row["height_cm"]),
            float(row["weight_kg"]),
        ),
        geometry=scanner.design.geometry(10.0 * depth_cm),
        look=look,
        scanner=scanner,
        skin_mm=skin,
        top_mm=skin + generator.uniform(11, 17),
        steering=float(generator.normal(0, 0.03)),
        start=datetime.combine(day, time()) + timedelta(seconds=seconds),
        generator=generator,
    )


def _acquire(
    folder: Path, examination: _Examination, texture_signal: float, seed: int, truth: Path | None
) -> list[dict[str, object]]:
    """Acquire until five pictures are good (or five failed), then what archives add to them."""
    generator, row = examination.generator, examination.row
    hopeless = row["reason"] == "failed_elastography"
    plan: list[str] = []
    failures = 0
    while len(plan) - failures < NEEDED and not (hopeless and failures == NEEDED):
        fails = hopeless or (failures < 2 and generator.random() < 0.03)
        failures += fails
        plan.append("failed" if fails else "good")
    extras = {
        "duplicate": 0.02,
        "surplus": 0.04,
        "wrong_scale": 0.02,
        "recoded": 0.02,
        "clip": 0.03,
    }
    drawn = generator.random(len(extras))
    plan += [name for (name, share), draw in zip(extras.items(), drawn, strict=True) if draw < share]
    rows, written = [], []
    screens = examination.scanner.screens
    suffix = ".dcm" if screens.files == "dicom" else ".png"
    severity = MEAN_SEVERITY + texture_signal * (row["severity"] - MEAN_SEVERITY)
    for number, kind in enumerate(plan, start=1):
        name = f"{row['hospital']}/{row['patient_id']}/IM{number:04d}{suffix}"
        path = folder / "dicom" / name
        if kind == "duplicate":
            path.write_bytes(written[0].read_bytes())
            continue
        drawn, field, settings = _one(examination, severity, number, kind)
        path.parent.mkdir(parents=True, exist_ok=True)
        acquisition = Acquisition(
            examination.patient,
            _moment(examination, number),
            number,
            kind,
            examination.geometry.pixel_mm,
            examination.scanner.design,
            settings,
        )
        write_acquisition(path, drawn, acquisition, seed, generator)
        written.append(path)
        rows.append(_measurement(row, name, drawn))
        if screens.squares:
            square = hand_drawn_square(drawn, np.random.default_rng([seed, 6, number, *row["patient_id"].encode()]))
            rows[-1] |= dict(zip(SQUARE_COLUMNS, square, strict=True))
        if truth is not None:
            write_truth((truth / name).with_suffix(".npz"), drawn, settings, field.severity)
    return rows


def _one(
    examination: _Examination, severity: float, number: int, kind: str
) -> tuple[DrawnScreen, Field, MachineSettings]:
    generator, row, geometry = examination.generator, examination.row, examination.geometry
    stiffness = row["stiffness_kpa"] * np.exp(0.08 * generator.standard_normal())
    field = simulate_field(
        stiffness,
        severity + SEVERITY_SPREAD * generator.standard_normal(),
        Nuisance(row["heterogeneity"], row["graininess"], row["bmi_kg_m2"]),
        kind == "failed",
        generator,
    )
    grey = simulate_bmode(geometry, examination.look, examination.skin_mm, generator)
    deepest = geometry.depth_mm - BOX_HEIGHT_MM - 5
    placement = Placement(
        top_mm=float(np.clip(examination.top_mm + generator.normal(0, 1.2), 20, min(44, deepest))),
        steering=float(np.clip(examination.steering + generator.normal(0, 0.012), -0.07, 0.07)),
        q_box_x_mm=float(np.clip(generator.normal(0, 1.5), -5, 5)),
        q_box_y_mm=float(np.clip(generator.normal(-1, 1.5), -4, 4)),
    )
    moment = _moment(examination, number)
    captions = Captions(
        f"Simulated Hospital {row['hospital']}",
        row["patient_id"],
        f"SIM^{row['patient_id']}",
        f"{moment:%Y-%m-%d %H:%M:%S}",
        number,
    )
    scanner = examination.scanner
    settings = _wrongly_set(scanner) if kind == "wrong_scale" else scanner.settings
    return draw_screen(scanner.design, settings, field, grey, geometry, placement, captions), field, settings


def _wrongly_set(scanner: _Scanner) -> MachineSettings:
    """The machine at another scale than the hospital's."""
    if scanner.design.name == "stacked":
        return replace(scanner.settings, scale=Scale(0, WRONG_SCALE_KPA, KPA))
    other = next(scale for scale in scanner.design.scales if scale != scanner.settings.scale)
    return replace(scanner.settings, scale=other)


def _moment(examination: _Examination, number: int) -> datetime:
    return examination.start + timedelta(seconds=11 * number)


def _measurement(row: pd.Series, name: str, drawn: DrawnScreen) -> dict[str, object]:
    values = [round(value, 1) for value in drawn.q_box]
    names = ("q_box_mean_kpa", "q_box_min_kpa", "q_box_max_kpa", "q_box_sd_kpa")
    return {
        "hospital": row["hospital"],
        "patient_id": row["patient_id"],
        "file": name,
        **dict(zip(names, values, strict=True)),
        "q_box_diameter_mm": 20.0,
        "q_box_depth_cm": round(drawn.q_box_depth_cm, 1),
    }
