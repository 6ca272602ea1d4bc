"""Adapter of rule leak_check."""

from dlre_core.logs import job_log
from dlre_core.near_duplicates import check_split
from dlre_core.tabular import read_table, write_table

with job_log(snakemake.log[0]):
    given = snakemake.input
    counts = check_split(
        read_table(given.split, needs=("hospital", "patient", "cohort")),
        read_table(given.acquisitions, needs=("image_id", "patient", "pixel_digest")),
        read_table(given.table, needs=("hospital", "patient", "image_id")),
        given.rois,
    )
    write_table(counts, snakemake.output.checked)
