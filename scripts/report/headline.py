"""The study in ten lines of text."""

from pathlib import Path

from dlre_core.foundation.csv_tables import read_table
from dlre_core.foundation.job_log import job_log
from dlre_core.patients.doubts import doubts
from dlre_core.report.headline import HeadlineTables, headline_text
from dlre_core.tables.stored_tables import read_accuracy_table

with job_log(snakemake.log[0]):
    given, params = snakemake.input, snakemake.params
    tables = HeadlineTables(
        read_accuracy_table(given.table),
        read_table(given.enrolment),
        read_table(given.counts),
        read_table(given.problems),
        read_table(given.findings),
    )
    doubted = doubts(
        tables.problems,
        read_table(given.other_problems),
        tables.enrolment,
        read_table(given.acquisitions, needs=("scale_source",))["scale_source"],
    )
    text = headline_text(
        tables,
        notes=doubted.sentences(),
        title=params.title,
        simulated=params.simulated,
        report=given.report,
    )
    Path(snakemake.output.text).write_text(text, encoding="utf-8")
