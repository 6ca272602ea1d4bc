"""Tables 1 to 4 and the supplementary tables."""


rule table_1:
    """Table 1: baseline characters, with tests between the cohorts."""
    input:
        patients="results/clinical/patients.csv",
        split=f"results/splits/{MAIN_SPLIT}.csv",
    output:
        csv=report(
            "results/tables/table_1.csv",
            caption="report/table.rst",
            category="Tables",
            labels={"table": "1", "form": "CSV"},
        ),
        html="results/tables/table_1.html",
        tex="results/tables/table_1.tex",
    log:
        "results/logs/table_1.log",
    benchmark:
        "results/benchmarks/table_1.tsv"
    conda:
        "../envs/dlre.yaml"
    threads: 1
    resources:
        mem_mb=growing(1000),
        runtime=10,
    params:
        what="Baseline characters of the patients",
        simulated=SIMULATED,
    script:
        "../scripts/tables/table_1.py"


rule table_2:
    """Table 2: accuracy of DLRE, 2D-SWE, APRI and FIB-4 by stage question and cohort."""
    input:
        scores=f"results/scores/{MAIN_ARM}.csv",
        acquisitions="results/store/acquisitions.csv",
    output:
        csv=report(
            "results/tables/table_2.csv",
            caption="report/table.rst",
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
        mem_mb=growing(1000),
        runtime=10,
    params:
        what="Diagnostic performance of DLRE, 2D-SWE, APRI and FIB-4",
        settings=ACCURACY_SETTINGS,
        simulated=SIMULATED,
    script:
        "../scripts/tables/table_2.py"


rule table_3:
    """Table 3: accuracy against the number of pictures a patient."""
    input:
        scores=[f"results/scores/{arm}.csv" for arm in IMAGE_ARMS.values()],
        acquisitions="results/store/acquisitions.csv",
    output:
        csv=report(
            "results/tables/table_3.csv",
            caption="report/table.rst",
            category="Tables",
            labels={"table": "3", "form": "CSV"},
        ),
        html="results/tables/table_3.html",
        tex="results/tables/table_3.tex",
    log:
        "results/logs/table_3.log",
    benchmark:
        "results/benchmarks/table_3.tsv"
    conda:
        "../envs/dlre.yaml"
    threads: 1
    resources:
        mem_mb=growing(1000),
        runtime=10,
    params:
        what="DLRE and 2D-SWE against the number of pictures or measurements",
        images=list(IMAGE_ARMS),
        settings=ACCURACY_SETTINGS,
        simulated=SIMULATED,
    script:
        "../scripts/tables/table_3.py"


rule table_4:
    """Table 4: DLRE by combination of training hospitals, compared by a patient bootstrap."""
    input:
        scores=[f"results/scores/{arm}.csv" for arm in HOSPITAL_ARMS],
    output:
        csv=report(
            "results/tables/table_4.csv",
            caption="report/table.rst",
            category="Tables",
            labels={"table": "4", "form": "CSV"},
        ),
        html="results/tables/table_4.html",
        tex="results/tables/table_4.tex",
        comparisons="results/tables/table_4_comparisons.csv",
    log:
        "results/logs/table_4.log",
    benchmark:
        "results/benchmarks/table_4.tsv"
    conda:
        "../envs/dlre.yaml"
    threads: 1
    resources:
        mem_mb=growing(1000),
        runtime=10,
    params:
        what="DLRE trained on different combinations of hospitals",
        hospitals=TRAINING_HOSPITALS,
        replicates=config["statistics"]["bootstrap_replicates"],
        seed=config["statistics"]["seed"],
        settings=ACCURACY_SETTINGS,
        simulated=SIMULATED,
    script:
        "../scripts/tables/table_4.py"


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
    script:
        "../scripts/tables/supplementary_table.py"
