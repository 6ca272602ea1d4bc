rule decision_curves:
    """Net benefit of every method by threshold probability."""
    input:
        scores=f"results/scores/{MAIN_ARM}.csv",
    output:
        csv="results/tables/decision_curves.csv",
    log:
        "results/logs/decision_curves.log",
    benchmark:
        "results/benchmarks/decision_curves.tsv"
    conda:
        "../envs/dlre.yaml"
    threads: 1
    resources:
        mem_mb=growing(1000),
        runtime=10,
    params:
        core=core("tables.probabilities"),
    script:
        "../scripts/decision_curves.py"


rule calibration_figure:
    """Extended figure 1: calibration curves."""
    input:
        scores=f"results/scores/{MAIN_ARM}.csv",
        table="results/tables/calibration.csv",
    output:
        svg=report(
            "results/figures/calibration.svg",
            caption="report/figure.rst",
            category="Extended",
            labels={"figure": "calibration", "form": "SVG"},
        ),
        png="results/figures/calibration.png",
        text="results/figures/calibration.txt",
    log:
        "results/logs/calibration_figure.log",
    benchmark:
        "results/benchmarks/calibration_figure.tsv"
    conda:
        "../envs/dlre.yaml"
    threads: 1
    resources:
        mem_mb=growing(1000),
        runtime=10,
    params:
        what="Calibration",
        confidence=config["statistics"]["confidence"],
        simulated=SIMULATED,
        core=core("figures.extended", "figures.captions"),
    script:
        "../scripts/calibration_figure.py"


rule decision_figure:
    """Extended figure 2: decision curves."""
    input:
        table="results/tables/decision_curves.csv",
    output:
        svg=report(
            "results/figures/decision_curves.svg",
            caption="report/figure.rst",
            category="Extended",
            labels={"figure": "decision curves", "form": "SVG"},
        ),
        png="results/figures/decision_curves.png",
        text="results/figures/decision_curves.txt",
    log:
        "results/logs/decision_figure.log",
    benchmark:
        "results/benchmarks/decision_figure.tsv"
    conda:
        "../envs/dlre.yaml"
    threads: 1
    resources:
        mem_mb=growing(1000),
        runtime=10,
    params:
        what="Decision curves",
        simulated=SIMULATED,
        core=core("figures.extended", "figures.captions"),
    script:
        "../scripts/decision_figure.py"


rule forest_figure:
    """Extended figure 3: AUC by hospital."""
    input:
        table="results/tables/hospitals.csv",
    output:
        svg=report(
            "results/figures/hospitals.svg",
            caption="report/figure.rst",
            category="Extended",
            labels={"figure": "hospitals", "form": "SVG"},
        ),
        png="results/figures/hospitals.png",
        text="results/figures/hospitals.txt",
    log:
        "results/logs/forest_figure.log",
    benchmark:
        "results/benchmarks/forest_figure.tsv"
    conda:
        "../envs/dlre.yaml"
    threads: 1
    resources:
        mem_mb=growing(1000),
        runtime=10,
    params:
        what="AUC by hospital",
        simulated=SIMULATED,
        core=core("figures.extended", "figures.captions"),
    script:
        "../scripts/forest_figure.py"
