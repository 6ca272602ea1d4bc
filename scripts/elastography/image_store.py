"""The picture store of all hospitals, with its acquisitions, rejects and counts."""

from dlre_core.foundation.csv_tables import read_table
from dlre_core.foundation.job_log import job_log
from dlre_core.foundation.picture_store import link_shards
from dlre_core.reading.study_readings import excluded_pictures, join_tables, wrong_boxes

with job_log(snakemake.log[0]):
    given, made = snakemake.input, snakemake.output
    stored = [image_id for table in given.acquisitions for image_id in read_table(table)["image_id"]]
    excluded = excluded_pictures(snakemake.params.readings, stored)
    link_shards(given.shards, made.store, excluded)
    join_tables(given, made, excluded, wrong_boxes(snakemake.params.readings))
