"""What a split's cohorts share: nothing, or the job fails."""

from dlre_core.foundation.csv_tables import read_table, write_table
from dlre_core.foundation.job_log import job_log
from dlre_core.foundation.study_terms import KEYS
from dlre_core.ingestion.look_alikes import check_split

with job_log(snakemake.log[0]):
    given = snakemake.input
    counts = check_split(
        read_table(given.split, needs=(*KEYS, "cohort")),
        read_table(given.acquisitions, needs=("image_id", "patient", "pixel_digest")),
        read_table(given.table, needs=(*KEYS, "image_id")),
        given.rois,
    )
    write_table(counts, snakemake.output.checked)
