"""Adapter of rule frozen_study."""

from dlre_core.frozen import freeze_study, write_frozen_study
from dlre_core.logs import job_log
from dlre_core.store import open_rois
from dlre_core.tabular import read_table

with job_log(snakemake.log[0]):
    given = snakemake.input
    with open_rois(given.rois) as squares:
        study = freeze_study(
            read_table(given.table),
            read_table(given.predictions),
            read_table(given.acquisitions),
            squares,
            repository=snakemake.params.repository,
            **snakemake.params.facts,
        )
    write_frozen_study(study, snakemake.output.study)
