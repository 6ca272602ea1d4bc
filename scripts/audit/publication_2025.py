"""Findings of the publication of 2025 beside the study's own."""

from dlre_core.extended_tables.publication_2025 import beside_publication, printed_publication
from dlre_core.foundation.csv_tables import read_table, write_table
from dlre_core.foundation.job_log import job_log
from dlre_core.report.page import write_table_page
from dlre_core.tables.stored_tables import read_accuracy_table
from dlre_core.tables.subanalyses import TEXT

with job_log(snakemake.log[0]):
    given, made = snakemake.input, snakemake.output
    table = beside_publication(read_accuracy_table(given.table), read_table(given.tests, text=TEXT))
    write_table(table, made.csv)
    printed = printed_publication(table, snakemake.params.simulated)
    write_table_page(made.html, "Our run beside the publication", [printed], simulated=snakemake.params.simulated)
