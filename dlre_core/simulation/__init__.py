"""A simulated multicentre 2D-SWE cohort, calibrated to the paper; always labelled as simulated."""

from dlre_core.simulation.cohort import write_clinical_csv, write_hospital
from dlre_core.simulation.patients import simulate_patients
from dlre_core.simulation.presets import HOSPITAL_SIZES

__all__ = ["HOSPITAL_SIZES", "simulate_patients", "write_clinical_csv", "write_hospital"]
