"""Extended table 10: Table 2's AUCs if no reader had excluded a picture."""

from dlre_core.comparators.patient_scores import patient_scores
from dlre_core.comparators.registry import stated_limits
from dlre_core.foundation.csv_tables import read_table
from dlre_core.foundation.design import score_columns, study_questions
from dlre_core.foundation.job_log import job_log
from dlre_core.network.kinds import NetworkKind, load_networks
from dlre_core.patients.enrolment import EnrolmentSettings
from dlre_core.reader_agreement.every_picture import (
    every_picture_table,
    everybody_pictured,
    predicted_everywhere,
    printed_every_picture,
    stored_acquisitions,
)
from dlre_core.tables.table_2_accuracy import AccuracySettings
from dlre_core.tables.typeset import write_all

with job_log(snakemake.log[0]):
    given, made, params = snakemake.input, snakemake.output, snakemake.params
    patients, acquisitions = read_table(given.patients), stored_acquisitions(given.acquisitions)
    criteria, settings = EnrolmentSettings(**params.criteria), AccuracySettings(**params.settings)
    people = everybody_pictured(read_table(given.split), patients, acquisitions, criteria)
    rois = dict(zip(params.hospitals, zip(given.rois, given.tables, strict=True), strict=True))
    networks = load_networks(dict(zip(study_questions(), given.weights, strict=True)))
    kept = patient_scores(
        predicted_everywhere(rois, people, networks, params.images, NetworkKind(**params.kind)),
        acquisitions,
        patients,
        aggregate=params.aggregate,
        upper_limits=stated_limits(params.upper_limits),
    )
    table = every_picture_table(read_table(given.scores, needs=score_columns()), kept, settings)
    printed = printed_every_picture(table, settings.confidence, params.simulated)
    write_all(table, printed, made.csv, made.html, made.tex)
