"""Extended table 14: repeatability between pictures, and reliability and AUC by their number."""

from dlre_core.extended_tables.choices import choices_table
from dlre_core.foundation.csv_tables import read_table, write_table
from dlre_core.foundation.job_log import job_log
from dlre_core.generalisability.repeatability import printed_repeatability, reliability_curve, repeatability_table
from dlre_core.tables.typeset import write_all

with job_log(snakemake.log[0]):
    given, made, params = snakemake.input, snakemake.output, snakemake.params
    predictions = read_table(given.predictions, needs=("cohort", "acquisition", "image_id"))
    acquisitions = read_table(given.acquisitions, needs=("image_id", "q_box_mean_kpa"))
    table = repeatability_table(predictions, acquisitions, confidence=params.confidence)
    aucs = choices_table(predictions, acquisitions, aggregate=params.aggregate, confidence=params.confidence)
    write_table(reliability_curve(table, int(aucs["images"].max())), made.curve)
    write_table(aucs, made.aucs)
    printed = printed_repeatability(table, params.confidence, params.simulated)
    write_all(table, printed, made.csv, made.html, made.tex)
