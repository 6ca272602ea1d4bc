"""What goes back to the PACS: a Structured Report and a Secondary Capture for every staged patient.

Both carry the patient's identity, copied from the pictures they came from, since a PACS files by it.
They are written to the outbox, outside results, for this user's eyes only.
"""

import logging
import re
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import highdicom as hd
import numpy as np
import pydicom
from numpy.typing import NDArray
from pydicom.charset import python_encoding
from pydicom.datadict import dictionary_description
from pydicom.dataset import Dataset
from pydicom.sr.codedict import codes
from pydicom.uid import generate_uid

from dlre_core import __version__
from dlre_core.dicom.decoder_process import Archives, opened
from dlre_core.dicom.file_search import FoundFile
from dlre_core.dicom.reader import parse
from dlre_core.foundation.atomic_files import written_whole
from dlre_core.foundation.design import question_labels
from dlre_core.foundation.errors import UnreadableDicom
from dlre_core.serving.repository import INTENDED_USE

# It logs the UIDs of the pictures, which must not reach results/logs.
logging.getLogger("highdicom").setLevel(logging.WARNING)

# What a PACS files by, and what highdicom asks of a picture that is referred to.
IDENTITY = (
    "SOPClassUID",
    "SOPInstanceUID",
    "StudyInstanceUID",
    "SeriesInstanceUID",
    "PatientID",
    "PatientName",
    "PatientBirthDate",
    "PatientSex",
    "AccessionNumber",
    "StudyID",
    "StudyDate",
    "StudyTime",
    "ReferringPhysicianName",
    "Rows",
    "Columns",
    "Modality",
    "SpecificCharacterSet",
)
BINARY = ("Rows", "Columns")
# Begins a switch to another character set.
ESCAPE = b"\x1b"
DATE, TIME = r"\d{8}", r"\d{2}(\d{2}(\d{2}(\.\d{1,6})?)?)?"
FORMS = {"PatientBirthDate": DATE, "StudyDate": DATE, "StudyTime": TIME, "PatientSex": "[MFO]"}
NAME = "DLRE"
SCHEME = "99DLRE"
UTF8 = "ISO_IR 192"
SERIES = {"report": 9601, "heat_maps": 9602}
LIVER = codes.SCT.Liver
ULTRASOUND = hd.sr.CodedConcept("45036003", "SCT", "Ultrasonography of abdomen")
# DICOM PS3.16: CID 12308 (shear-wave measurements), CID 12224 (modes), CID 7465 (derived from several measurements).
ELASTICITY = codes.DCM.Elasticity
TWO_DIMENSIONAL = codes.cid12224._2DShearWaveElastography
MEDIAN = codes.cid7465.MedianValueOfPopulation
IQR = codes.cid7465.InterquartileRangeOfPopulation
IQR_TO_MEDIAN = codes.cid7465.InterquartileRangeToMedianRatioOfPopulation
KILOPASCAL = hd.sr.CodedConcept("kPa", "UCUM", "kilopascal")
NO_UNITS = hd.sr.CodedConcept("1", "UCUM", "no units")
IMPLIED = hd.sr.CodedConcept("implied_stage", SCHEME, "Implied METAVIR fibrosis stage")
INTENDED = hd.sr.CodedConcept("intended_use", SCHEME, "Intended use")
RESEARCH = hd.sr.CodedConcept("research_use_only", SCHEME, "Research use only, not a medical device")
TRAINED_ON = hd.sr.CodedConcept("trained_on", SCHEME, "Networks trained on")


@contextmanager
def odd_headers_named() -> Iterator[None]:
    """Say of a header that no report can be made from that it is so, and nothing of what is in it.

    Raises
    ------
    UnreadableDicom
    """
    try:
        # pydicom and highdicom tell odd names and UIDs in warnings.
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    except (ValueError, TypeError, AttributeError, KeyError) as error:
        raise UnreadableDicom(
            f"Something in its headers fits into no report ({type(error).__name__}).",
            "Export the pictures from the PACS anew.",
        ) from None


class Identity(NamedTuple):
    """By which a PACS files what refers to a picture: elements, and the names of those left out as unreadable."""

    elements: Dataset
    left_out: tuple[str, ...]


def read_identity(file: FoundFile, archives: Archives) -> Identity:
    """The elements of a picture by which a PACS files what refers to it.

    Text in a character set that the file does not declare is left out: guessed, it would name somebody else.

    Raises
    ------
    UnreadableDicom
        If the picture names no patient, study or instance.
    """
    request = {"path": str(file.path), "member": file.member}
    with opened(request, archives) as stream:
        found = parse(stream, list(IDENTITY)) or Dataset()
    undeclared = {name for name in IDENTITY if name in found and _undeclared(found, name)}
    identity = Dataset()
    for name in IDENTITY:
        if name in found and name not in undeclared:
            identity.add(found[name])
    identity.decode()
    # What the declared character set does not have.
    undeclared |= {n for n in identity.dir() if "\N{REPLACEMENT CHARACTER}" in str(identity[n].value)}
    for name in undeclared & set(identity.dir()):
        del identity[name]
    if "PatientID" in undeclared:
        raise UnreadableDicom(
            "The Patient ID of a picture is written in a character set that the file does not declare.",
            "Export it from the PACS with Specific Character Set (0008,0005).",
        )
    identity.SpecificCharacterSet = UTF8
    for name in identity.dir():
        # A PACS files by the first of several; what is no date, time or sex is left out.
        if identity[name].VM > 1:
            identity[name].value = identity[name].value[0]
        if name in FORMS and not re.fullmatch(FORMS[name], str(identity[name].value or "")):
            identity[name].value = ""
    needed = ("PatientID", "StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID", "SOPClassUID")
    missing = [name for name in needed if not identity.get(name)]
    if missing:
        raise UnreadableDicom(
            f"A picture has no {', '.join(missing)}, so that a PACS could not file a report on it.",
            "Export it from the PACS with its header.",
        )
    for name in set(IDENTITY) - set(identity.dir()) - {"Rows", "Columns"}:
        setattr(identity, name, "")
    names = tuple(sorted(dictionary_description(name) for name in undeclared))
    return Identity(identity, names)


def _undeclared(found: Dataset, name: str) -> bool:
    """Whether an element holds more than ASCII, and the file names no character set that is known."""
    raw = found.get_item(name).value
    if name in BINARY or not isinstance(raw, bytes) or (raw.isascii() and ESCAPE not in raw):
        return False
    declared = found.get("SpecificCharacterSet") or ""
    terms = [declared] if isinstance(declared, str) else list(declared)
    # The first of several may be empty, which is ASCII.
    known = [str(term) in python_encoding for term in terms if term]
    return terms[:1] == ["ISO_IR 6"] or not known or not all(known)


def structured_report(
    pictures: Sequence[Dataset],
    probabilities: Mapping[str, float],
    *,
    stiffness_kpa: Sequence[float],
    stage: str,
    simulated: bool,
    model: str,
) -> Dataset:
    """A Comprehensive SR (TID 1500) with the probabilities, the implied stage and the liver stiffness.

    Stiffness has the standard's codes: Elasticity, method 2D Shear Wave Elastography, derived as median, interquartile
    range and their ratio. What only DLRE has is coded privately.

    Parameters
    ----------
    pictures : sequence of Dataset
        Elements from `read_identity`; those that were used, of one study.
    probabilities : mapping of stage question to float
        0 to 1.
    stiffness_kpa : sequence of float
        Means of the Q-Boxes of the pictures, kPa; NaN is left out. Without any there is no stiffness, with one no
        spread.
    stage : str
        Implied METAVIR stage, such as ``F2``.
    simulated : bool
        Whether the networks were trained on a simulated cohort.
    model : str
        Digest of the networks.
    """
    measurements = [
        hd.sr.Measurement(
            hd.sr.CodedConcept(f"probability_{name}", SCHEME, _question(name)),
            round(float(value), 4),
            NO_UNITS,
        )
        for name, value in probabilities.items()
    ]
    measurements += _elasticity(stiffness_kpa)
    cohort = "a simulated cohort: without clinical meaning" if simulated else "patients of a study"
    trained = hd.sr.CodedConcept("simulated" if simulated else "patients", SCHEME, cohort)
    verdict = hd.sr.CodedConcept(stage.lower().replace("-", "_"), SCHEME, f"METAVIR {stage}")
    group = hd.sr.MeasurementsAndQualitativeEvaluations(
        tracking_identifier=hd.sr.TrackingIdentifier(
            uid=_uid(pictures, model, "tracking"), identifier="Liver, two-dimensional elastography"
        ),
        finding_sites=[hd.sr.FindingSite(LIVER)],
        algorithm_id=hd.sr.AlgorithmIdentification(NAME, __version__, [f"networks {model[:16]}"]),
        measurements=measurements,
        qualitative_evaluations=[
            hd.sr.QualitativeEvaluation(IMPLIED, verdict),
            hd.sr.QualitativeEvaluation(INTENDED, RESEARCH),
            hd.sr.QualitativeEvaluation(TRAINED_ON, trained),
        ],
        source_images=[
            hd.sr.SourceImageForMeasurementGroup(picture.SOPClassUID, picture.SOPInstanceUID) for picture in pictures
        ],
    )
    device = hd.sr.ObserverContext(
        codes.DCM.Device,
        hd.sr.DeviceObserverIdentifyingAttributes(
            uid=_uid(pictures[:0], model, "device"), name=NAME, manufacturer_name=NAME
        ),
    )
    content = hd.sr.MeasurementReport(
        hd.sr.ObservationContext(observer_device_context=device),
        procedure_reported=ULTRASOUND,
        imaging_measurements=[group],
        title=codes.DCM.ImagingMeasurementReport,
    )
    report = hd.sr.ComprehensiveSR(
        evidence=list(pictures),
        content=content[0],
        series_instance_uid=_uid(pictures, model, "report series"),
        series_number=SERIES["report"],
        sop_instance_uid=_uid(pictures, model, "report"),
        instance_number=1,
        manufacturer=NAME,
        is_complete=True,
        specific_character_set=UTF8,
    )
    report.SeriesDescription = "DLRE staging - RESEARCH USE ONLY"
    return report


def _elasticity(stiffness_kpa: Sequence[float]) -> list[hd.sr.Measurement]:
    """Median, interquartile range (type 7 of Hyndman and Fan) and their ratio, as far as there are measurements."""
    known = np.asarray(stiffness_kpa, dtype=np.float64)
    known = known[~np.isnan(known)]
    if not len(known):
        return []
    low, middle, high = np.percentile(known, [25, 50, 75])
    values = [(MEDIAN, round(float(middle), 2), KILOPASCAL)]
    if len(known) > 1:
        values.append((IQR, round(float(high - low), 2), KILOPASCAL))
    if len(known) > 1 and middle > 0:
        values.append((IQR_TO_MEDIAN, round(float((high - low) / middle), 4), NO_UNITS))
    return [
        hd.sr.Measurement(ELASTICITY, value, unit, derivation=derivation, method=TWO_DIMENSIONAL)
        for derivation, value, unit in values
    ]


def secondary_capture(pictures: Sequence[Dataset], heat_maps: NDArray[np.uint8], *, model: str) -> Dataset:
    """A Secondary Capture of the heat maps.

    Parameters
    ----------
    pictures : sequence of Dataset
        Elements from `read_identity`; those that the maps are of.
    heat_maps : (height, width, 3) uint8
        RGB, with the words on it.
    model : str
        Digest of the networks.
    """
    capture = hd.sc.SCImage.from_ref_dataset(
        pictures[0],
        heat_maps,
        photometric_interpretation="RGB",
        bits_allocated=8,
        coordinate_system="PATIENT",
        series_instance_uid=_uid(pictures, model, "heat map series"),
        series_number=SERIES["heat_maps"],
        sop_instance_uid=_uid(pictures, model, "heat map"),
        instance_number=1,
        manufacturer=NAME,
        patient_orientation=("L", "F"),
        transfer_syntax_uid=pydicom.uid.ExplicitVRLittleEndian,
        specific_character_set=UTF8,
    )
    # Unknown, as on every ultrasound screen.
    capture.PatientOrientation, capture.BodyPartExamined = None, "LIVER"
    capture.SeriesDescription = "DLRE heat maps - RESEARCH USE ONLY"
    capture.ImageComments = INTENDED_USE
    capture.BurnedInAnnotation = "NO"
    return capture


def write_private_dicom(dataset: Dataset, path: Path) -> None:
    """Write a file that names a patient: mode 0600, in a folder of mode 0700, by rename."""
    with written_whole(path, private=True) as unfinished:
        dataset.save_as(unfinished, enforce_file_format=True)


def _question(stage: str) -> str:
    # Not every PACS shows more than ASCII.
    return f"Probability of {question_labels()[stage]}".replace("≥", ">=")


def _uid(pictures: Sequence[Dataset], model: str, what: str) -> str:
    """The same pictures and networks give the same UID, so that sending twice files once."""
    return str(generate_uid(entropy_srcs=[what, model, *(p.SOPInstanceUID for p in pictures)]))
