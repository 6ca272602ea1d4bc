"""One hospital's pictures in a shard; its acquisitions, rejects and counts."""

from pathlib import Path

from dlre_core.dicom.reader import ReadLimits
from dlre_core.foundation.job_log import job_log
from dlre_core.ingestion.hospital import HospitalFolder, IngestedFiles, ingest_hospital
from dlre_core.ingestion.usable_picture import IngestionSettings
from dlre_core.patients.pseudonyms import Pseudonymiser, study_key
from dlre_core.screens.profiles import profiles_of
from dlre_core.user_tables.units import given_units

with job_log(snakemake.log[0]):
    given, made, params = snakemake.input, snakemake.output, snakemake.params
    ingestion = dict(params.ingestion)
    limits = ReadLimits(**ingestion.pop("limits"))
    key = study_key(params.key_file, params.seed if params.simulated else None)
    private = Path(params.key_file).parent
    ingest_hospital(
        HospitalFolder(
            params.hospital,
            given.pictures,
            # Absent for the inbox of new patients.
            clinical_csv=given.get("clinical") or None,
            measurements_csv=params.optional_tables.get("measurements"),
            roi_csv=params.optional_tables.get("roi"),
        ),
        IngestedFiles(
            shard=made.shard,
            acquisitions_csv=made.acquisitions,
            rejects_csv=made.rejects,
            counts_csv=made.counts,
            private_map_csv=private / "rejected_files" / f"{params.private_name}.csv",
        ),
        Pseudonymiser(key, params.date_shift_days),
        IngestionSettings(
            images_per_patient=params.images_per_patient,
            maximum_days_from_elastography=params.maximum_days_from_elastography,
            limits=limits,
            profiles=profiles_of(params.screens),
            hospital=params.hospital,
            **ingestion,
        ),
        given_units(params.units, params.get("cohort", "")),
        memory=private / "ingested" / params.private_name,
        version=params.core,
    )
