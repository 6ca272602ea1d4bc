"""The report of external validation: all cohorts side by side and one by one."""

from pathlib import Path

from dlre_core.foundation.job_log import job_log
from dlre_core.serving.frozen_study import read_frozen_study
from dlre_core.tables.stored_tables import read_accuracy_table
from dlre_core.validation.exhibits import ExternalCohort, side_by_side, write_validation_report

with job_log(snakemake.log[0]):
    params = snakemake.params
    study = read_frozen_study(params.model)
    cohorts = {
        name: ExternalCohort(**{part: Path(folder) / file for part, file in params.files.items()})
        for name, folder in params.folders.items()
    }
    tables = {name: read_accuracy_table(files.table) for name, files in cohorts.items()}
    printed = side_by_side(tables, study, params.confidence)
    write_validation_report(snakemake.output[0], cohorts, study, printed)
