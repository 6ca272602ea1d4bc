"""Adapter of rule leak_check."""

from dlre_core.logs import job_log
from dlre_core.splits import check_leaks
from dlre_core.tabular import read_table, write_table

with job_log(snakemake.log[0]):
    counts = check_leaks(
        read_table(snakemake.input.split, needs=("hospital", "patient", "cohort")),
        read_table(snakemake.input.acquisitions, needs=("image_id", "patient", "pixel_digest")),
    )
    write_table(counts, snakemake.output.checked)
