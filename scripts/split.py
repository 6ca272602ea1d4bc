"""Adapter of rule split."""

from dlre_core.logs import job_log
from dlre_core.splits import make_split
from dlre_core.tabular import read_table, write_table

with job_log(snakemake.log[0]):
    keys = ["hospital", "patient"]
    enrolment = read_table(snakemake.input.enrolment)
    enrolled = enrolment.loc[enrolment["enrolled"] == 1, keys]
    split = make_split(
        enrolled.merge(read_table(snakemake.input.patients), on=keys),
        snakemake.params.rule,
        seed=snakemake.params.rule.get("seed", snakemake.params.seed),
        permute_labels=snakemake.params.permute_labels,
    )
    write_table(split, snakemake.output.split)
