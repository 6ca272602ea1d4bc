"""Audit of the published Tables 1 to 4: every row and every finding, as JSON, CSV, HTML and text."""

import logging
from pathlib import Path

from dlre_core.audit.audit import audit_published_tables, paper_tables
from dlre_core.foundation.csv_tables import write_table
from dlre_core.foundation.job_log import job_log

with job_log(snakemake.log[0]):
    made = snakemake.output
    report = audit_published_tables(paper_tables())
    Path(made.json).write_text(report.to_json(), "utf-8")
    Path(made.html).write_text(report.to_html(), "utf-8")
    Path(made.text).write_text(report.to_text(), "utf-8")
    write_table(report.rows_table(), made.csv)
    write_table(report.findings_table(), made.findings)
    logging.getLogger("dlre").info("%d rows, %d findings", len(report.rows), len(report.findings))
