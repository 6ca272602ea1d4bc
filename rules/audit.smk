"""Audit of the published tables and of the study's own, and both side by side."""

from dlre_core.foundation.digests import PACKAGE_ROOT, file_digest

AUDIT_TARGETS = ["results/audit/published_tables.json", "results/audit/study_tables.csv"]


rule audit_published:
    """Audit of the published tables: what reproduces, by which method, and what cannot be right."""
    output:
        json="results/audit/published_tables.json",
        csv="results/audit/published_tables.csv",
        html=report(
            "results/audit/published_tables.html",
            caption="report/audit_published.rst",
            category="Audit",
            labels={"tables": "published"},
        ),
        text="results/audit/published_tables.txt",
        findings="results/audit/published_findings.csv",
    log:
        "results/logs/audit_published.log",
    benchmark:
        "results/benchmarks/audit_published.tsv"
    conda:
        "../envs/dlre.yaml"
    params:
        tables=file_digest(PACKAGE_ROOT / "audit/data/paper_tables.json"),
    script:
        "../scripts/audit/audit_published.py"


rule audit_study:
    """The study's own Tables 1 to 4 through the same audit; the report tells what it finds."""
    input:
        tables=[f"results/tables/table_{number}.csv" for number in [1, *PLAN.accuracy_tables]],
    output:
        csv="results/audit/study_tables.csv",
        findings="results/audit/study_findings.csv",
    log:
        "results/logs/audit_study.log",
    benchmark:
        "results/benchmarks/audit_study.tsv"
    conda:
        "../envs/dlre.yaml"
    params:
        numbers=[1, *PLAN.accuracy_tables],
        confidence=config["statistics"]["confidence"],
    script:
        "../scripts/audit/audit_study.py"


rule compare_paper:
    """The study's Tables 1 to 4 beside the published ones, cell by cell (make compare-paper)."""
    input:
        tables=[f"results/tables/table_{number}.csv" for number in [1, *PLAN.accuracy_tables]],
    output:
        csv="results/comparison/paper.csv",
        html="results/comparison/paper.html",
    log:
        "results/logs/compare_paper.log",
    benchmark:
        "results/benchmarks/compare_paper.tsv"
    conda:
        "../envs/dlre.yaml"
    params:
        numbers=[1, *PLAN.accuracy_tables],
        # The paper's combinations 1, 2 and 3 are the study's in the order of config.yaml.
        arms=dict(enumerate(PLAN.training_hospitals, start=1)),
        simulated=SIMULATED,
        published=file_digest(PACKAGE_ROOT / "audit/data/paper_tables.json"),
    script:
        "../scripts/audit/compare_paper.py"


rule publication_2025:
    """Findings of 2025 beside the study's own (make compare-paper DESIGN=international_2025)."""
    input:
        table="results/tables/table_2.csv",
        tests="results/tables/subanalyses_tests.csv",
    output:
        csv="results/comparison/publication_2025.csv",
        html="results/comparison/publication_2025.html",
    log:
        "results/logs/publication_2025.log",
    benchmark:
        "results/benchmarks/publication_2025.tsv"
    conda:
        "../envs/dlre.yaml"
    params:
        simulated=SIMULATED,
    script:
        "../scripts/audit/publication_2025.py"
