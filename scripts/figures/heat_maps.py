"""Heat maps of the most decided right and wrong answers."""

from dlre_core.figures.captions import heat_map_caption
from dlre_core.figures.heat_maps import choose_cases, heat_map_figure, save_raster
from dlre_core.foundation.csv_tables import read_table
from dlre_core.foundation.job_log import job_log
from dlre_core.tables.stored_tables import read_accuracy_table

with job_log(snakemake.log[0]):
    given, made, params = snakemake.input, snakemake.output, snakemake.params
    cases = choose_cases(read_table(given.predictions), read_accuracy_table(given.table))
    weights = dict(zip(params.stages, given.weights, strict=True))
    figure = heat_map_figure(cases, read_table(given.rois), given.pictures, weights, simulated=params.simulated)
    save_raster(figure, heat_map_caption(params.simulated), made.jpg, made.text)
