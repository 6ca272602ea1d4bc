"""The report: one self-contained page with every table and figure."""

from dlre_core.foundation.job_log import job_log
from dlre_core.report.exhibits import ordered_exhibits
from dlre_core.report.page import ReportFiles, write_report

with job_log(snakemake.log[0]):
    given, params = snakemake.input, snakemake.params
    files = ReportFiles(
        table_2=given.table_2,
        counts=given.counts,
        rejects=given.rejects,
        acquisitions=given.acquisitions,
        problems=given.problems,
        other_problems=given.other_problems,
        enrolment=given.enrolment,
        leak_checks=dict(zip(params.splits, given.leak_checks, strict=True)),
        histories=dict(zip(params.arms, given.histories, strict=True)),
        published_findings=given.findings,
        study_audit=given.study_audit,
        study_findings=given.study_findings,
        metadata=params.metadata,
        benchmarks=params.benchmarks,
        primary=given.primary,
    )
    exhibits = ordered_exhibits(params.tables, params.figures, "results")
    words = {name: params[name] for name in ("title", "simulated", "skipped")}
    write_report(snakemake.output.page, files, exhibits, params.config, **words)
