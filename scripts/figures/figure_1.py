"""Figure 1: a picture from the screen to the network."""

from dlre_core.figures.captions import figure_1_caption
from dlre_core.figures.figure_1_case import choose_case, figure_1, read_case
from dlre_core.figures.style import save_figure
from dlre_core.foundation.csv_tables import read_table
from dlre_core.foundation.job_log import job_log
from dlre_core.network.kinds import NetworkKind

with job_log(snakemake.log[0]):
    given, made, params = snakemake.input, snakemake.output, snakemake.params
    tables = (read_table(path) for path in (given.acquisitions, given.rois, given.split))
    case = read_case(choose_case(*tables), given.images)
    kind = NetworkKind(**params.kind)
    figure = figure_1(case, network=kind.network, simulated=params.simulated)
    caption = figure_1_caption(case.row, case.q_box_mean_kpa, params.simulated, kind.network, kind.input)
    save_figure(figure, caption, made.svg, made.png, made.text)
