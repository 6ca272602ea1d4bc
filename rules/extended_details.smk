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
        core=core("tables.stages"),
    script:
        "../scripts/stages.py"


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
        core=core("tables.counts"),
    script:
        "../scripts/events.py"


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
        core=core("tables.differences"),
    script:
        "../scripts/differences.py"


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
        core=core("tables.checklist"),
    script:
        "../scripts/checklist.py"
