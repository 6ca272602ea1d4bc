"""Audit of the study's own Tables 1 to 4: every row and every finding."""

import logging

from dlre_core.audit.audit import audit_published_tables
from dlre_core.extended_tables.published_form import published_form
from dlre_core.foundation.csv_tables import write_table
from dlre_core.foundation.job_log import job_log
from dlre_core.tables.stored_tables import read_numbered_table

with job_log(snakemake.log[0]):
    given, made, params = snakemake.input, snakemake.output, snakemake.params
    tables = {n: read_numbered_table(n, path) for n, path in zip(params.numbers, given.tables, strict=True)}
    report = audit_published_tables(published_form(tables), confidence=params.confidence)
    write_table(report.rows_table(), made.csv)
    write_table(report.findings_table(), made.findings)
    if not report.clean:
        logging.getLogger("dlre").warning("%s", report.to_text())
