"""Another division of the patients, for one variant."""

from dlre_core.foundation.csv_tables import read_table, write_table
from dlre_core.foundation.job_log import job_log
from dlre_core.foundation.study_terms import KEYS
from dlre_core.patients.resplits import resplit

with job_log(snakemake.log[0]):
    split = read_table(snakemake.input.split, needs=(*KEYS, "fibrosis_stage"))
    params = snakemake.params
    made = resplit(split, params.variant, params.division, params.seed)
    write_table(made, snakemake.output.split)
