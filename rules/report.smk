"""The report and the headline."""

REPORT_TARGETS = ["results/report.html", "results/headline.txt", "results/methods.html"]
TABLES = [
    "table_1",
    *(f"table_{n}" for n in PLAN.accuracy_tables),
    *(f"supplementary_table_{n}" for n in PLAN.subgroups),
]
TABLES += ["counts", "calibration", "predictive_values", "hospitals", "stages", "events", "differences", "checklist"]
TABLES += [
    "dual_cutoffs",
    "paired_accuracy",
    "recalibration",
    "repeatability",
    "fairness",
    "intention_to_diagnose",
    "failure_rates",
    "biases",
    "optimism",
]
TABLES += ["networks"] * bool(PLAN.compared_arms)
READ_BY_TWO = READINGS["readers"] == "two"
TABLES += config["robustness"]["analyses"] + ["agreement", "reader_squares", "every_picture"] * READ_BY_TWO
FIGURES = ["headline", "figure_1", "figure_2", "figure_3"]
# Figures 4 and 5 show tables 3 and 4.
FIGURES += [f"figure_{n + 1}" for n in PLAN.accuracy_tables if n > 2]
FIGURES += ["supplementary_figure_1"]
FIGURES += [
    f"supplementary_figure_{n + 1}_{population}" for n in PLAN.subgroups for population in ("enrolled", "validation")
]
FIGURES += ["roc_bands", "calibration", "decision_curves", "hospitals"] + ["reader_agreement"] * READ_BY_TWO
FIGURES += ["subanalyses"] * ("subanalyses" in config["robustness"]["analyses"])
FIGURES += ["repeatability"]
PICTURES = ["heat_maps", "contact_sheet", "contact_sheet_least_signal"]


rule headline:
    """The study in ten lines of text, printed when the workflow ends."""
    input:
        table="results/tables/table_2.csv",
        enrolment="results/enrolment/enrolment.csv",
        counts="results/store/counts.csv",
        acquisitions="results/store/acquisitions.csv",
        rejects="results/store/rejects.csv",
        problems="results/clinical/problems.csv",
        other_problems="results/clinical/other_problems.csv",
        report="results/report.html",
        findings="results/audit/study_findings.csv",
        primary="results/tables/primary_hypothesis.csv",
    output:
        text="results/headline.txt",
    log:
        "results/logs/headline.log",
    benchmark:
        "results/benchmarks/headline.tsv"
    conda:
        "../envs/dlre.yaml"
    params:
        title=config["report"]["title"],
        simulated=SIMULATED,
        skipped=SKIPPED_ARMS,
        confidence=config["statistics"]["confidence"],
        named={name: config.get(name) for name in ("cohort", "primary_hypothesis")},
    script:
        "../scripts/report/headline.py"


rule report:
    """One self-contained page with everything."""
    input:
        table_2="results/tables/table_2.csv",
        tables=expand("results/tables/{name}.{form}", name=TABLES, form=["csv", "html"]),
        figures=expand("results/figures/{name}.{form}", name=FIGURES, form=["svg", "txt"]),
        pictures=expand("results/figures/{name}.{form}", name=PICTURES, form=["jpg", "txt"]),
        findings="results/audit/published_findings.csv",
        study_audit="results/audit/study_tables.csv",
        study_findings="results/audit/study_findings.csv",
        counts="results/store/counts.csv",
        rejects="results/store/rejects.csv",
        acquisitions="results/store/acquisitions.csv",
        problems="results/clinical/problems.csv",
        other_problems="results/clinical/other_problems.csv",
        enrolment="results/enrolment/enrolment.csv",
        leak_checks=expand("results/splits/{split}_leak_check.csv", split=PLAN.splits),
        histories=expand("results/models/{arm}/history.csv", arm=ARMS),
        scores=expand("results/scores/{arm}.csv", arm=ARMS),
        primary="results/tables/primary_hypothesis.csv",
    output:
        page="results/report.html",
    log:
        "results/logs/report.log",
    benchmark:
        "results/benchmarks/report.tsv"
    conda:
        "../envs/dlre.yaml"
    resources:
        mem_mb=growing(2000),
    params:
        title=config["report"]["title"],
        simulated=SIMULATED,
        tables=TABLES,
        figures=FIGURES + PICTURES,
        metadata=".snakemake/metadata",
        splits=PLAN.splits,
        arms=ARMS,
        skipped=SKIPPED_ARMS,
        benchmarks="results/benchmarks",
        config=config,
    script:
        "../scripts/report/report.py"


rule methods_text:
    """What was done, in words for a paper, with a BibTeX file."""
    input:
        enrolment="results/enrolment/enrolment.csv",
        scores=f"results/scores/{PLAN.main_arm}.csv",
    output:
        page="results/methods.html",
        tex="results/methods.tex",
        bibliography="results/methods.bib",
    log:
        "results/logs/methods_text.log",
    benchmark:
        "results/benchmarks/methods_text.tsv"
    conda:
        "../envs/dlre.yaml"
    params:
        config=config,
        simulated=SIMULATED,
    script:
        "../scripts/report/methods_text.py"


rule plan:
    """How many patients a study needs, before there are any (make plan)."""
    output:
        patients="results/plan/patients.csv",
        pictures="results/plan/pictures.csv",
        curves="results/plan/curves.csv",
        svg="results/plan/curves.svg",
        png="results/plan/curves.png",
        text="results/plan/curves.txt",
        page="results/plan/index.html",
    log:
        "results/logs/plan.log",
    benchmark:
        "results/benchmarks/plan.tsv"
    conda:
        "../envs/dlre.yaml"
    params:
        plan=config["plan"],
        confidence=config["statistics"]["confidence"],
    script:
        "../scripts/report/plan.py"
