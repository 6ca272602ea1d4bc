"""Probabilities of every picture of one external cohort, by the frozen networks."""

from dlre_core.foundation.job_log import job_log
from dlre_core.patients.enrolment import EnrolmentSettings
from dlre_core.serving.frozen_study import check_same_settings, read_frozen_study
from dlre_core.serving.through_triton import ServingSettings
from dlre_core.validation.cohorts import ExternalFiles, predict_external

with job_log(snakemake.log[0]):
    given, params = snakemake.input, snakemake.params
    check_same_settings(
        read_frozen_study(params.model),
        images_per_patient=params.criteria["images_per_patient"],
        scale_maximum_kpa=params.scale_maximum_kpa,
        aggregate=params.aggregate,
    )
    predict_external(
        params.model,
        ExternalFiles(given.patients, given.acquisitions, given.rois, given.table),
        EnrolmentSettings(**params.criteria),
        ServingSettings(**params.serving, threads=snakemake.threads),
        snakemake.log.server,
        snakemake.output.predictions,
    )
