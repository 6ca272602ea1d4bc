"""The frozen study: cut-offs, recalibrations and the range of the training pictures."""

from dlre_core.clinical_decisions.decision_table import DECISION_TEXT, network_cutoffs
from dlre_core.foundation.csv_tables import read_table
from dlre_core.foundation.job_log import job_log
from dlre_core.foundation.picture_store import open_rois
from dlre_core.recalibration.maps import read_recalibrations
from dlre_core.serving.frozen_study import freeze_study, write_frozen_study
from dlre_core.tables.stored_tables import read_accuracy_table

with job_log(snakemake.log[0]):
    given = snakemake.input
    with open_rois(given.rois) as squares:
        study = freeze_study(
            read_accuracy_table(given.table),
            read_table(given.predictions),
            read_table(given.acquisitions),
            squares,
            repository=snakemake.params.repository,
            dual_cutoffs=network_cutoffs(read_table(given.decisions, text=DECISION_TEXT)),
            recalibrations=read_recalibrations(given.recalibration),
            **snakemake.params.facts,
        )
    write_frozen_study(study, snakemake.output.study)
