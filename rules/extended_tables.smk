rule counts:
    """Extended table 1: counts, cut-offs and tests behind Tables 2, 3 and 4."""
    input:
        tables=[f"results/tables/table_{number}.csv" for number in ACCURACY_TABLES],
    output:
        csv=report(
            "results/tables/counts.csv",
            caption="report/table.rst",
            category="Extended",
            labels={"table": "counts", "form": "CSV"},
        ),
        html="results/tables/counts.html",
        tex="results/tables/counts.tex",
    log:
        "results/logs/counts.log",
    benchmark:
        "results/benchmarks/counts.tsv"
    conda:
        "../envs/dlre.yaml"
    threads: 1
    resources:
        mem_mb=growing(1000),
        runtime=10,
    params:
        what="Counts, cut-offs and tests",
        numbers=ACCURACY_TABLES,
        simulated=SIMULATED,
        core=core("tables.counts"),
    script:
        "../scripts/counts.py"


rule calibration:
    """Extended table 2: calibration of probabilities."""
    input:
        scores=f"results/scores/{MAIN_ARM}.csv",
    output:
        csv=report(
            "results/tables/calibration.csv",
            caption="report/table.rst",
            category="Extended",
            labels={"table": "calibration", "form": "CSV"},
        ),
        html="results/tables/calibration.html",
        tex="results/tables/calibration.tex",
    log:
        "results/logs/calibration.log",
    benchmark:
        "results/benchmarks/calibration.tsv"
    conda:
        "../envs/dlre.yaml"
    threads: 1
    resources:
        mem_mb=growing(1000),
        runtime=10,
    params:
        what="Calibration of probabilities",
        confidence=config["statistics"]["confidence"],
        simulated=SIMULATED,
        core=core("tables.probabilities"),
    script:
        "../scripts/calibration.py"


rule predictive_values:
    """Extended table 3: predictive values at other prevalences."""
    input:
        table="results/tables/table_2.csv",
    output:
        csv=report(
            "results/tables/predictive_values.csv",
            caption="report/table.rst",
            category="Extended",
            labels={"table": "predictive values", "form": "CSV"},
        ),
        html="results/tables/predictive_values.html",
        tex="results/tables/predictive_values.tex",
    log:
        "results/logs/predictive_values.log",
    benchmark:
        "results/benchmarks/predictive_values.tsv"
    conda:
        "../envs/dlre.yaml"
    threads: 1
    resources:
        mem_mb=growing(1000),
        runtime=10,
    params:
        what="Predictive values at other prevalences",
        prevalences=config["statistics"]["prevalences"],
        confidence=config["statistics"]["confidence"],
        simulated=SIMULATED,
        core=core("tables.probabilities"),
    script:
        "../scripts/predictive_values.py"


rule hospitals:
    """Extended table 4: AUC by hospital."""
    input:
        scores=f"results/scores/{MAIN_ARM}.csv",
    output:
        csv=report(
            "results/tables/hospitals.csv",
            caption="report/table.rst",
            category="Extended",
            labels={"table": "hospitals", "form": "CSV"},
        ),
        html="results/tables/hospitals.html",
        tex="results/tables/hospitals.tex",
    log:
        "results/logs/hospitals.log",
    benchmark:
        "results/benchmarks/hospitals.tsv"
    conda:
        "../envs/dlre.yaml"
    threads: 1
    resources:
        mem_mb=growing(1000),
        runtime=10,
    params:
        what="AUC by hospital",
        settings=ACCURACY_SETTINGS,
        simulated=SIMULATED,
        core=core("tables.hospitals"),
    script:
        "../scripts/hospitals.py"
