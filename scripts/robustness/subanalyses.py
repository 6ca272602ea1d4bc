"""AUC by group of any column of the clinical table, and tests between the groups."""

from dlre_core.foundation.csv_tables import read_table, write_table
from dlre_core.foundation.design import score_columns, study_questions
from dlre_core.foundation.job_log import job_log
from dlre_core.tables.subanalyses import described_patients, printed_subanalyses, read_groupings, subanalyses
from dlre_core.tables.typeset import write_all

with job_log(snakemake.log[0]):
    given, made, params = snakemake.input, snakemake.output, snakemake.params
    scores = read_table(given.scores, needs=score_columns())
    patients = described_patients(scores, read_table(given.patients), read_table(given.acquisitions))
    table, tests = subanalyses(
        patients[patients["cohort"] == "validation"],
        study_questions(),
        read_groupings(params.groupings, patients),
        {"dlre": "dlre_{stage}", "lsm": "lsm"},
        confidence=params.confidence,
        interval=params.interval,
    )
    write_table(tests, made.tests)
    printed = printed_subanalyses(table, tests, params.confidence, params.simulated)
    write_all(table, printed, made.csv, made.html, made.tex)
