"""A cohort folder of one hospital, for the check before a study."""

import numpy as np
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, UltrasoundImageStorage, generate_uid

from tests.helpers.clinical_csv import GOOD


def write_dicom(path, patient):
    path.parent.mkdir(parents=True, exist_ok=True)
    dataset = Dataset()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.SOPClassUID = UltrasoundImageStorage
    dataset.SOPInstanceUID = generate_uid()
    dataset.PatientID = patient
    dataset.AcquisitionDate = GOOD["elastography_date"].replace("-", "")
    dataset.Rows, dataset.Columns, dataset.SamplesPerPixel = 2, 2, 3
    dataset.BitsAllocated = dataset.BitsStored = 8
    dataset.HighBit, dataset.PixelRepresentation, dataset.PlanarConfiguration = 7, 0, 0
    dataset.PhotometricInterpretation = "RGB"
    dataset.PixelData = np.zeros(12, np.uint8).tobytes()
    dataset.save_as(path, enforce_file_format=True)


def write_folder(tmp_path, rows, encoding="utf-8"):
    for row in rows:
        if row["patient_id"]:
            for k in range(5):
                write_dicom(tmp_path / "dicom" / "A" / row["patient_id"] / f"{k}.dcm", row["patient_id"])
    lines = [",".join(GOOD)] + [",".join(f'"{v}"' for v in row.values()) for row in rows]
    (tmp_path / "clinical.csv").write_bytes("\n".join(lines).encode(encoding))
    return tmp_path


def patients(n):
    return [GOOD | {"patient_id": f"A{i:04d}"} for i in range(1, n + 1)]
