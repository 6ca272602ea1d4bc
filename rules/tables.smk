"""Tables 1 to 4 and the supplementary tables."""


rule table_1:
    """Table 1: baseline characteristics by cohort, with tests between the cohorts."""
    input:
        patients="results/clinical/patients.csv",
        split=f"results/splits/{PLAN.main_split}.csv",
    output:
        **printed_table("results/tables/table_1", "Tables", "Baseline characteristics by cohort"),
    log:
        "results/logs/table_1.log",
    benchmark:
        "results/benchmarks/table_1.tsv"
    conda:
        "../envs/dlre.yaml"
    params:
        stratified=PLAN.stratified,
        simulated=SIMULATED,
    script:
        "../scripts/tables/table_1.py"


rule table_2:
    """Table 2: accuracy of DLRE, 2D-SWE, APRI and FIB-4 by stage question and cohort."""
    input:
        scores=f"results/scores/{PLAN.main_arm}.csv",
        folds=PLAN.fold_scores(PLAN.main_arm),
        acquisitions="results/store/acquisitions.csv",
    output:
        **printed_table("results/tables/table_2", "Tables", "Diagnostic performance of DLRE, 2D-SWE, APRI and FIB-4"),
    log:
        "results/logs/table_2.log",
    benchmark:
        "results/benchmarks/table_2.tsv"
    conda:
        "../envs/dlre.yaml"
    params:
        settings=ACCURACY_SETTINGS,
        simulated=SIMULATED,
    script:
        "../scripts/tables/table_2.py"


rule table_3:
    """Table 3: accuracy by the number of pictures per patient."""
    input:
        scores=[f"results/scores/{arm}.csv" for arm in PLAN.image_arms.values()],
        folds=PLAN.fold_scores(*PLAN.image_arms.values()),
        acquisitions="results/store/acquisitions.csv",
    output:
        **printed_table("results/tables/table_3", "Tables", "DLRE and 2D-SWE by number of pictures"),
    log:
        "results/logs/table_3.log",
    benchmark:
        "results/benchmarks/table_3.tsv"
    conda:
        "../envs/dlre.yaml"
    params:
        images=list(PLAN.image_arms),
        folds=[len(PLAN.cutoff_folds.get(arm, [])) for arm in PLAN.image_arms.values()],
        settings=ACCURACY_SETTINGS,
        simulated=SIMULATED,
    script:
        "../scripts/tables/table_3.py"


rule table_4:
    """Table 4: DLRE by combination of training hospitals, compared by DeLong's test for cohorts that overlap."""
    input:
        scores=[f"results/scores/{arm}.csv" for arm in PLAN.training_hospitals],
        folds=PLAN.fold_scores(*PLAN.training_hospitals),
    output:
        **printed_table("results/tables/table_4", "Tables", "DLRE trained on different combinations of hospitals"),
        comparisons="results/tables/table_4_comparisons.csv",
    log:
        "results/logs/table_4.log",
    benchmark:
        "results/benchmarks/table_4.tsv"
    conda:
        "../envs/dlre.yaml"
    params:
        hospitals=PLAN.training_hospitals,
        folds=[len(PLAN.cutoff_folds.get(arm, [])) for arm in PLAN.training_hospitals],
        settings=ACCURACY_SETTINGS,
        simulated=SIMULATED,
    script:
        "../scripts/tables/table_4.py"


rule supplementary_table:
    """Supplementary tables 1 to 3: AUC by ALT, BMI and inflammation, and tests between subgroups."""
    input:
        scores=f"results/scores/{PLAN.main_arm}.csv",
    output:
        **printed_table("results/tables/supplementary_table_{number}", "Supplement", "AUC by subgroup"),
        comparisons=shown(
            "results/tables/supplementary_table_{number}_comparisons.csv", "Supplement", "Tests of subgroups"
        ),
    log:
        "results/logs/supplementary_table_{number}.log",
    benchmark:
        "results/benchmarks/supplementary_table_{number}.tsv"
    conda:
        "../envs/dlre.yaml"
    params:
        **SUBGROUP_LIMITS,
        number="{number}",
        settings=ACCURACY_SETTINGS,
        simulated=SIMULATED,
    script:
        "../scripts/tables/supplementary_table.py"
