"""AUC with k pictures, averaged over all choices of k of a patient's pictures."""

from dlre_core.extended_tables.choices import choices_table, printed_choices
from dlre_core.foundation.csv_tables import read_table
from dlre_core.foundation.job_log import job_log
from dlre_core.tables.typeset import write_all

with job_log(snakemake.log[0]):
    given, made, params = snakemake.input, snakemake.output, snakemake.params
    table = choices_table(
        read_table(given.predictions, needs=("cohort", "acquisition", "image_id")),
        read_table(given.acquisitions, needs=("image_id", "q_box_mean_kpa")),
        aggregate=params.aggregate,
        confidence=params.confidence,
    )
    printed = printed_choices(table, params.confidence, params.simulated)
    write_all(table, printed, made.csv, made.html, made.tex)
