"""The network's squares of one hospital's pictures, and where they were cut."""

from dlre_core.elastography.network_square import crop_hospital
from dlre_core.elastography.square import Square
from dlre_core.foundation.job_log import job_log

with job_log(snakemake.log[0]):
    crop_hospital(
        snakemake.input.shard,
        snakemake.input.acquisitions,
        snakemake.output.rois,
        snakemake.output.table,
        {image_id: Square(*sides) for image_id, sides in snakemake.params.by_hand.items()},
        snakemake.params.pictures,
    )
