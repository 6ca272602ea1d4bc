MAIN_ARM = ARMS_IN_ORDER[0]
PAPER_TARGETS = [
    "results/report.html",
    "results/headline.txt",
]


rule table_2:
    """Table 2: accuracy of DLRE, 2D-SWE, APRI and FIB-4 by stage question and cohort."""
    input:
        scores=f"results/scores/{MAIN_ARM}.csv",
    output:
        csv=report(
            "results/tables/table_2.csv",
            caption="report/table_2.rst",
            category="Tables",
            labels={"table": "2", "form": "CSV"},
        ),
        html="results/tables/table_2.html",
        tex="results/tables/table_2.tex",
    log:
        "results/logs/table_2.log",
    benchmark:
        "results/benchmarks/table_2.tsv"
    conda:
        "../envs/dlre.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        settings=ACCURACY_SETTINGS,
        simulated=SIMULATED,
        core=core("tables.accuracy", "tables.printed"),
    script:
        "../scripts/table_2.py"


rule figure_3:
    """Figure 3: ROC curves of DLRE, 2D-SWE and biomarkers, six panels."""
    input:
        scores=f"results/scores/{MAIN_ARM}.csv",
        table="results/tables/table_2.csv",
    output:
        svg=report(
            "results/figures/figure_3.svg",
            caption="report/figure_3.rst",
            category="Figures",
            labels={"figure": "3", "form": "SVG"},
        ),
        png="results/figures/figure_3.png",
    log:
        "results/logs/figure_3.log",
    benchmark:
        "results/benchmarks/figure_3.tsv"
    conda:
        "../envs/dlre.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        confidence=config["statistics"]["confidence"],
        simulated=SIMULATED,
        core=core("figures.roc"),
    script:
        "../scripts/figure_3.py"


rule headline:
    """The study in ten lines of text, printed when the workflow ends."""
    input:
        table="results/tables/table_2.csv",
        enrolment="results/enrolment/enrolment.csv",
        counts="results/store/counts.csv",
        problems="results/clinical/problems.csv",
        report="results/report.html",
    output:
        text="results/headline.txt",
    log:
        "results/logs/headline.log",
    benchmark:
        "results/benchmarks/headline.tsv"
    conda:
        "../envs/dlre.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        title=config["report"]["title"],
        simulated=SIMULATED,
        core=core("report.headline"),
    script:
        "../scripts/headline.py"


rule report:
    """One self-contained page with everything."""
    input:
        table_2="results/tables/table_2.csv",
        table_2_html="results/tables/table_2.html",
        figure_3="results/figures/figure_3.svg",
        enrolment="results/enrolment/enrolment.csv",
        flow="results/enrolment/flow.csv",
        counts="results/store/counts.csv",
        rejects="results/store/rejects.csv",
        problems="results/clinical/problems.csv",
        leak_checks=expand("results/splits/{split}_leak_check.csv", split=SPLITS),
        histories=expand("results/models/{arm}/history.csv", arm=ARMS),
        scores=expand("results/scores/{arm}.csv", arm=ARMS),
    output:
        page="results/report.html",
    log:
        "results/logs/report.log",
    benchmark:
        "results/benchmarks/report.tsv"
    conda:
        "../envs/dlre.yaml"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=10,
    params:
        title=config["report"]["title"],
        simulated=SIMULATED,
        splits=SPLITS,
        arms=ARMS,
        benchmarks="results/benchmarks",
        config=config,
        core=core("report"),
    script:
        "../scripts/report.py"
