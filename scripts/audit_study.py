"""Adapter of rule audit_study."""

from dlre_core.errors import DlreError
from dlre_core.logs import job_log
from dlre_core.statistics import audit_published_tables
from dlre_core.tables.published_form import published_form
from dlre_core.tabular import read_table, write_table

with job_log(snakemake.log[0]):
    tables = published_form(read_table(snakemake.input.table))
    report = audit_published_tables(tables, confidence=snakemake.params.confidence)
    if not report.clean:
        raise DlreError(
            "The study's own Table 2 does not pass the audit:\n" + report.to_text(),
            "Look for the table's rule, results/logs/table_2.log, first.",
        )
    write_table(report.rows_table(), snakemake.output.csv)
