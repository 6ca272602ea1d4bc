"""The study in ten lines of text."""

from pathlib import Path

from dlre_core.foundation.csv_tables import read_table
from dlre_core.foundation.job_log import job_log
from dlre_core.report.headline import headline_text
from dlre_core.tables.stored_tables import read_accuracy_table

with job_log(snakemake.log[0]):
    text = headline_text(
        read_accuracy_table(snakemake.input.table),
        read_table(snakemake.input.enrolment),
        read_table(snakemake.input.counts),
        read_table(snakemake.input.problems),
        read_table(snakemake.input.findings),
        title=snakemake.params.title,
        simulated=snakemake.params.simulated,
        report=snakemake.input.report,
    )
    Path(snakemake.output.text).write_text(text, encoding="utf-8")
