"""Extended table 15: accuracy and calibration by group of patients, and gaps between groups."""

from dlre_core.foundation.csv_tables import read_table
from dlre_core.foundation.design import score_columns
from dlre_core.foundation.job_log import job_log
from dlre_core.generalisability.fairness import fairness_groupings, fairness_table, printed_fairness
from dlre_core.tables.stored_tables import read_accuracy_table
from dlre_core.tables.subanalyses import described_patients
from dlre_core.tables.table_2_accuracy import AccuracySettings
from dlre_core.tables.typeset import write_all

with job_log(snakemake.log[0]):
    given, made, params = snakemake.input, snakemake.output, snakemake.params
    scores = read_table(given.scores, needs=score_columns())
    patients = described_patients(scores, read_table(given.patients), read_table(given.acquisitions))
    groupings = fairness_groupings(params.groupings, patients)
    settings = AccuracySettings(**params.settings)
    table = fairness_table(patients, read_accuracy_table(given.table), groupings, settings)
    printed = printed_fairness(table, settings, params.simulated)
    write_all(table, printed, made.csv, made.html, made.tex)
