"""New patients staged: tables, pages, and files for the PACS."""

from pathlib import Path

from dlre_core.dicom.reader import ReadLimits
from dlre_core.foundation.job_log import job_log
from dlre_core.patients.pseudonyms import Pseudonymiser, study_key
from dlre_core.serving.through_triton import ServingSettings
from dlre_core.staging.inbox import Inbox, IngestedInbox, StagedFiles, stage_inbox

with job_log(snakemake.log[0]):
    given, made, params = snakemake.input, snakemake.output, snakemake.params
    key = study_key(params.key_file, None)
    stage_inbox(
        Inbox(
            folder=Path(given.inbox),
            code=params.code,
            pseudonymiser=Pseudonymiser(key, params.date_shift_days),
            limits=ReadLimits(**params.limits),
            outbox=Path(params.outbox),
            trust_uids=params.trust_uids,
        ),
        IngestedInbox(
            rois=given.rois,
            roi_table=given.table,
            acquisitions=given.acquisitions,
            rejects=given.rejects,
            counts=given.counts,
            images_per_patient=params.images_per_patient,
            scale_maximum_kpa=params.scale_maximum_kpa,
        ),
        StagedFiles(made.images, made.patients, made.overview, made.pages),
        params.model,
        ServingSettings(**params.serving, threads=snakemake.threads),
        snakemake.log.server,
    )
