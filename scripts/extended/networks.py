"""Extended table 19: other networks and inputs."""

from dlre_core.foundation.csv_tables import read_table
from dlre_core.foundation.design import score_columns
from dlre_core.foundation.job_log import job_log
from dlre_core.tables.networks import networks_table, printed_networks
from dlre_core.tables.table_2_accuracy import AccuracySettings
from dlre_core.tables.typeset import write_all

with job_log(snakemake.log[0]):
    made, params = snakemake.output, snakemake.params
    settings = AccuracySettings(**params.settings)
    tables = [read_table(path, needs=score_columns()) for path in snakemake.input.scores]
    table = networks_table(dict(zip(params.kinds, tables, strict=True)), params.kinds, settings)
    printed = printed_networks(table, settings.confidence, params.simulated)
    write_all(table, printed, made.csv, made.html, made.tex)
