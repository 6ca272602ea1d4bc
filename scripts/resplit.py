"""Adapter of rule resplit."""

from dlre_core.logs import job_log
from dlre_core.resplits import resplit
from dlre_core.tabular import read_table, write_table

with job_log(snakemake.log[0]):
    split = read_table(snakemake.input.split, needs=("hospital", "patient", "fibrosis_stage"))
    params = snakemake.params
    made = resplit(split, snakemake.wildcards.variant, params.division, params.seed)
    write_table(made, snakemake.output.split)
