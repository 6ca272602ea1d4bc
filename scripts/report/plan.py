"""How many patients a study needs: tables, curves and a page."""

from dlre_core.figures.plan import plan_figure
from dlre_core.figures.style import save_figure
from dlre_core.foundation.csv_tables import write_table
from dlre_core.foundation.job_log import job_log
from dlre_core.report.plan_page import caption, write_plan_page
from dlre_core.sample_size.plan import curves, patients_by_pictures, patients_needed, read_assumptions

with job_log(snakemake.log[0]):
    made, params = snakemake.output, snakemake.params
    assumptions = read_assumptions(params.plan, params.confidence)
    needed, pictures, table = patients_needed(assumptions), patients_by_pictures(assumptions), curves(assumptions)
    for written, path in ((needed, made.patients), (pictures, made.pictures), (table, made.curves)):
        write_table(written, path)
    save_figure(plan_figure(table, assumptions), caption(assumptions), made.svg, made.png, made.text)
    write_plan_page(made.page, assumptions, needed, pictures, made.svg)
