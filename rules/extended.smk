"""Tables and figures beyond the paper's."""


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
    script:
        "../scripts/extended/counts.py"


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
    script:
        "../scripts/extended/calibration.py"


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
    script:
        "../scripts/extended/predictive_values.py"


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
    script:
        "../scripts/extended/hospitals.py"


rule stages:
    """Extended table 5: biopsy against implied stage, and contradicting probabilities."""
    input:
        scores=f"results/scores/{MAIN_ARM}.csv",
        table="results/tables/table_2.csv",
        predictions=f"results/predictions/{MAIN_ARM}.csv",
    output:
        csv=report(
            "results/tables/stages.csv",
            caption="report/table.rst",
            category="Extended",
            labels={"table": "stages", "form": "CSV"},
        ),
        html="results/tables/stages.html",
        tex="results/tables/stages.tex",
        measures="results/tables/stages_measures.csv",
    log:
        "results/logs/stages.log",
    benchmark:
        "results/benchmarks/stages.tsv"
    conda:
        "../envs/dlre.yaml"
    threads: 1
    resources:
        mem_mb=growing(1000),
        runtime=10,
    params:
        what="Biopsy against implied stage",
        replicates=config["statistics"]["bootstrap_replicates"],
        seed=config["statistics"]["seed"],
        confidence=config["statistics"]["confidence"],
        simulated=SIMULATED,
    script:
        "../scripts/extended/stages.py"


rule events:
    """Extended table 6: patients, images and events of every arm."""
    input:
        scores=expand("results/scores/{arm}.csv", arm=ARMS_IN_ORDER),
    output:
        csv=report(
            "results/tables/events.csv",
            caption="report/table.rst",
            category="Extended",
            labels={"table": "events", "form": "CSV"},
        ),
        html="results/tables/events.html",
        tex="results/tables/events.tex",
    log:
        "results/logs/events.log",
    benchmark:
        "results/benchmarks/events.tsv"
    conda:
        "../envs/dlre.yaml"
    threads: 1
    resources:
        mem_mb=growing(1000),
        runtime=10,
    params:
        what="Patients, images and events",
        arms=ARMS_IN_ORDER,
        simulated=SIMULATED,
    script:
        "../scripts/extended/events.py"


rule differences:
    """Extended table 7: differences of AUC by DeLong and by bootstrap."""
    input:
        scores=f"results/scores/{MAIN_ARM}.csv",
        table="results/tables/table_2.csv",
    output:
        csv=report(
            "results/tables/differences.csv",
            caption="report/table.rst",
            category="Extended",
            labels={"table": "differences", "form": "CSV"},
        ),
        html="results/tables/differences.html",
        tex="results/tables/differences.tex",
    log:
        "results/logs/differences.log",
    benchmark:
        "results/benchmarks/differences.tsv"
    conda:
        "../envs/dlre.yaml"
    threads: 1
    resources:
        mem_mb=growing(1000),
        runtime=10,
    params:
        what="Differences of AUC",
        replicates=config["statistics"]["bootstrap_replicates"],
        seed=config["statistics"]["seed"],
        confidence=config["statistics"]["confidence"],
        simulated=SIMULATED,
    script:
        "../scripts/extended/differences.py"


rule checklist:
    """Reporting checklist: STARD 2015 and TRIPOD+AI."""
    output:
        csv=report(
            "results/tables/checklist.csv",
            caption="report/table.rst",
            category="Extended",
            labels={"table": "checklist", "form": "CSV"},
        ),
        html="results/tables/checklist.html",
        tex="results/tables/checklist.tex",
    log:
        "results/logs/checklist.log",
    benchmark:
        "results/benchmarks/checklist.tsv"
    conda:
        "../envs/dlre.yaml"
    threads: 1
    resources:
        mem_mb=growing(1000),
        runtime=10,
    params:
        what="Reporting checklist",
    script:
        "../scripts/extended/checklist.py"


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
    script:
        "../scripts/extended/decision_curves.py"


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
    script:
        "../scripts/extended/calibration_figure.py"


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
    script:
        "../scripts/extended/decision_figure.py"


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
    script:
        "../scripts/extended/forest_figure.py"
