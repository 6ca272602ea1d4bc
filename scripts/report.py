"""Adapter of rule report."""

from pathlib import Path

from dlre_core.logs import job_log
from dlre_core.report import Exhibit, write_report

with job_log(snakemake.log[0]):
    given, params = snakemake.input, snakemake.params
    write_report(
        snakemake.output.page,
        title=params.title,
        simulated=params.simulated,
        table_2=given.table_2,
        tables=[
            Exhibit(
                "table_2", "Table 2. Diagnostic accuracy", "", Path(given.table_2_html), Path(given.table_2)
            )
        ],
        figures=[
            Exhibit(
                "figure_3", "Figure 3. ROC curves",
                "DLRE, 2D-SWE and biomarkers; training cohort above, validation cohort below. Markers show the cut-offs.",
                Path(given.figure_3),
            )
        ],
        enrolment=given.enrolment,
        flow=given.flow,
        counts=given.counts,
        rejects=given.rejects,
        problems=given.problems,
        leak_checks=dict(zip(params.splits, given.leak_checks, strict=True)),
        histories=dict(zip(params.arms, given.histories, strict=True)),
        benchmarks=params.benchmarks,
        config=params.config,
    )  # fmt: skip
