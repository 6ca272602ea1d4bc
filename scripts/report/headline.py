"""The study in ten lines of text."""

from pathlib import Path

from dlre_core.foundation.csv_tables import read_table
from dlre_core.foundation.job_log import job_log
from dlre_core.ingestion.picture_doubts import picture_doubts
from dlre_core.report.headline import HeadlineTables, headline_text
from dlre_core.report.sentences import skipped_sentences
from dlre_core.tables.stored_tables import read_accuracy_table

with job_log(snakemake.log[0]):
    text = headline_text(
        HeadlineTables(
            accuracy=read_accuracy_table(snakemake.input.table),
            enrolment=read_table(snakemake.input.enrolment),
            counts=read_table(snakemake.input.counts),
            problems=read_table(snakemake.input.problems),
            findings=read_table(snakemake.input.findings),
        ),
        notes=[
            *picture_doubts(read_table(snakemake.input.acquisitions), read_table(snakemake.input.rejects)),
            *skipped_sentences(snakemake.params.skipped),
        ],
        title=snakemake.params.title,
        simulated=snakemake.params.simulated,
        report=snakemake.input.report,
    )
    Path(snakemake.output.text).write_text(text, encoding="utf-8")
