"""Contact sheets: squares of every hospital, and those with the least signal."""

from pathlib import Path

from dlre_core.figures.captions import contact_sheet_caption
from dlre_core.figures.contact_sheets import (
    contact_sheet,
    evenly_chosen,
    least_filled,
    quality_flags,
)
from dlre_core.foundation.csv_tables import read_table
from dlre_core.foundation.job_log import job_log

with job_log(snakemake.log[0]):
    given, made, params = snakemake.input, snakemake.output, snakemake.params
    rois, acquisitions = read_table(given.rois), read_table(given.acquisitions)
    flags = quality_flags(rois, acquisitions)
    chosen = evenly_chosen(rois, flags)
    worst = least_filled(rois, acquisitions)
    for groups, path in ((chosen, made.hospitals), (worst, made.least)):
        contact_sheet(groups, flags, given.pictures, path, simulated=params.simulated)
    texts = contact_sheet_caption(chosen, worst, flags, params.simulated)
    Path(made.hospitals_text).write_text(texts[0] + "\n", encoding="utf-8")
    Path(made.least_text).write_text(texts[1] + "\n", encoding="utf-8")
