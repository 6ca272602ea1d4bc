"""The study in ten lines of text."""

from pathlib import Path

from dlre_core.foundation.csv_tables import read_table
from dlre_core.foundation.job_log import job_log
from dlre_core.ingestion.picture_doubts import picture_doubts
from dlre_core.patients.doubts import doubts
from dlre_core.report.headline import HeadlineTables, headline_text
from dlre_core.report.sentences import skipped_sentences
from dlre_core.tables.primary_hypothesis import TEXT, primary_sentences
from dlre_core.tables.stored_tables import read_accuracy_table
from dlre_core.workflow.hypothesis_record import named_beforehand

with job_log(snakemake.log[0]):
    given, params = snakemake.input, snakemake.params
    tables = HeadlineTables(
        read_accuracy_table(given.table),
        read_table(given.enrolment),
        read_table(given.counts),
        read_table(given.problems),
        read_table(given.findings),
    )
    acquisitions = read_table(given.acquisitions, needs=("scale_source",))
    other_problems = read_table(given.other_problems)
    doubted = doubts(tables.problems, other_problems, tables.enrolment, acquisitions["scale_source"])
    primary = read_table(given.primary, text=TEXT)
    text = headline_text(
        tables,
        primary=primary_sentences(primary, params.confidence, named_beforehand(params.named)),
        notes=[
            *doubted.sentences(),
            *picture_doubts(acquisitions, read_table(given.rejects)),
            *skipped_sentences(params.skipped),
        ],
        title=params.title,
        simulated=params.simulated,
        report=given.report,
        confidence=params.confidence,
    )
    Path(snakemake.output.text).write_text(text, encoding="utf-8")
