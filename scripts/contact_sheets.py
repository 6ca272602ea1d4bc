"""Adapter of rule contact_sheets."""

from pathlib import Path

from dlre_core.figures.captions import contact_sheet_caption
from dlre_core.figures.pictures import contact_sheet, evenly_chosen, least_filled
from dlre_core.logs import job_log
from dlre_core.tabular import read_table

with job_log(snakemake.log[0]):
    given, made, params = snakemake.input, snakemake.output, snakemake.params
    rois = read_table(given.rois)
    chosen = evenly_chosen(rois)
    worst = least_filled(rois, read_table(given.acquisitions))
    contact_sheet(chosen, given.pictures, made.hospitals, simulated=params.simulated)
    contact_sheet(worst, given.pictures, made.least, simulated=params.simulated)
    texts = contact_sheet_caption(chosen, worst, len(rois), params.simulated)
    Path(made.hospitals_text).write_text(texts[0] + "\n", encoding="utf-8")
    Path(made.least_text).write_text(texts[1] + "\n", encoding="utf-8")
