rule supplementary_table:
    """Supplementary tables 1 to 3: AUC by ALT, BMI and inflammation, and tests between subgroups."""
    input:
        scores=f"results/scores/{MAIN_ARM}.csv",
    output:
        csv=report(
            "results/tables/supplementary_table_{number}.csv",
            caption="report/table.rst",
            category="Supplement",
            labels={"table": "{number}", "form": "CSV"},
        ),
        html="results/tables/supplementary_table_{number}.html",
        tex="results/tables/supplementary_table_{number}.tex",
        comparisons=report(
            "results/tables/supplementary_table_{number}_comparisons.csv",
            caption="report/table.rst",
            category="Supplement",
            labels={"table": "{number}, comparisons", "form": "CSV"},
        ),
    log:
        "results/logs/supplementary_table_{number}.log",
    benchmark:
        "results/benchmarks/supplementary_table_{number}.tsv"
    conda:
        "../envs/dlre.yaml"
    threads: 1
    resources:
        mem_mb=growing(1000),
        runtime=10,
    params:
        what="AUC of DLRE and 2D-SWE by subgroup",
        number=lambda wildcards: int(wildcards.number),
        alt_limits_iu_l=config["statistics"]["alt_limits_iu_l"],
        bmi_limit_kg_m2=config["statistics"]["bmi_limit_kg_m2"],
        settings=ACCURACY_SETTINGS,
        simulated=SIMULATED,
        core=core("tables.subgroups"),
    script:
        "../scripts/supplementary_table.py"


rule supplementary_figure_1:
    """Supplementary figure 1: how training ends."""
    input:
        histories=expand("results/models/{arm}/history.csv", arm=ARMS_IN_ORDER),
    output:
        svg=report(
            "results/figures/supplementary_figure_1.svg",
            caption="report/figure.rst",
            category="Supplement",
            labels={"figure": "1", "form": "SVG"},
        ),
        png="results/figures/supplementary_figure_1.png",
        text="results/figures/supplementary_figure_1.txt",
    log:
        "results/logs/supplementary_figure_1.log",
    benchmark:
        "results/benchmarks/supplementary_figure_1.tsv"
    conda:
        "../envs/dlre.yaml"
    threads: 1
    resources:
        mem_mb=growing(1000),
        runtime=10,
    params:
        what="How training ends",
        arms=ARMS_IN_ORDER,
        minimum_epochs=config["training"]["minimum_epochs"],
        patience=config["training"]["patience_epochs"],
        fraction=config["training"]["stopping_fraction"],
        simulated=SIMULATED,
        core=core("figures.training", "figures.captions"),
    script:
        "../scripts/supplementary_figure_1.py"


rule subgroup_figure:
    """Supplementary figures 2 to 4: ROC curves by subgroup, of all enrolled or validation patients."""
    input:
        scores=f"results/scores/{MAIN_ARM}.csv",
    output:
        svg=report(
            "results/figures/supplementary_figure_{number}_{population}.svg",
            caption="report/figure.rst",
            category="Supplement",
            labels={"figure": "{number} {population}", "form": "SVG"},
        ),
        png="results/figures/supplementary_figure_{number}_{population}.png",
        text="results/figures/supplementary_figure_{number}_{population}.txt",
    log:
        "results/logs/subgroup_figure_{number}_{population}.log",
    benchmark:
        "results/benchmarks/subgroup_figure_{number}_{population}.tsv"
    conda:
        "../envs/dlre.yaml"
    threads: 1
    resources:
        mem_mb=growing(1000),
        runtime=10,
    params:
        what="ROC curves by subgroup",
        number=lambda wildcards: int(wildcards.number),
        alt_limits_iu_l=config["statistics"]["alt_limits_iu_l"],
        bmi_limit_kg_m2=config["statistics"]["bmi_limit_kg_m2"],
        settings=ACCURACY_SETTINGS,
        simulated=SIMULATED,
        core=core("figures.roc", "figures.captions"),
    script:
        "../scripts/subgroup_figure.py"
