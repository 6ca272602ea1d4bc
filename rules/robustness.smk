"""Optional analyses of the main arm."""


rule resplit:
    """Another division of the patients: permuted_1, seed_1, without_A, fraction_50 or fold_1_of_3."""
    input:
        split=lambda wildcards: f"results/splits/{PLAN.varied(wildcards.variant)['split']}.csv",
    output:
        split="results/robustness/{variant}/split.csv",
    log:
        "results/logs/resplit/{variant}.log",
    benchmark:
        "results/benchmarks/resplit/{variant}.tsv"
    conda:
        "../envs/dlre.yaml"
    params:
        variant="{variant}",
        division=lambda wildcards: config["splits"][PLAN.varied(wildcards.variant)["split"]],
        seed=config["training"]["seed"],
    script:
        "../scripts/robustness/resplit.py"


use rule leak_check as leak_check_variant with:
    input:
        **SQUARES,
        split="results/robustness/{variant}/split.csv",
        acquisitions="results/store/acquisitions.csv",
    output:
        checked="results/robustness/{variant}/leak_check.csv",
    log:
        "results/logs/leak_check_variant/{variant}.log",
    benchmark:
        "results/benchmarks/leak_check_variant/{variant}.tsv"


use rule train as train_variant with:
    input:
        **SQUARES,
        split="results/robustness/{variant}/split.csv",
        checked="results/robustness/{variant}/leak_check.csv",
    output:
        **weights("results/robustness/{variant}"),
        history="results/robustness/{variant}/history.csv",
    log:
        "results/logs/train_variant/{variant}.log",
    benchmark:
        "results/benchmarks/train_variant/{variant}.tsv"
    params:
        arm="{variant}",
        images=lambda wildcards: PLAN.varied(wildcards.variant)["images"],
        kind=lambda wildcards: PLAN.varied_kind(wildcards.variant),
        speed="results/benchmarks/train_variant/{variant}_images_per_second.csv",
        checkpoints="results/checkpoints/{variant}",


rule predict_variant:
    """Probabilities of every picture of a variant, in process."""
    input:
        **weights("results/robustness/{variant}"),
        **SQUARES,
        split="results/robustness/{variant}/split.csv",
    output:
        predictions="results/robustness/{variant}/predictions.csv",
    log:
        "results/logs/predict_variant/{variant}.log",
    benchmark:
        "results/benchmarks/predict_variant/{variant}.tsv"
    conda:
        "../envs/dlre.yaml"
    resources:
        mem_mb=growing(3000),
        runtime=60,
    params:
        images=lambda wildcards: PLAN.varied(wildcards.variant)["images"],
    script:
        "../scripts/robustness/predict_variant.py"


use rule scores as scores_variant with:
    input:
        predictions="results/robustness/{variant}/predictions.csv",
        acquisitions="results/store/acquisitions.csv",
        patients="results/clinical/patients.csv",
    output:
        scores="results/robustness/{variant}/scores.csv",
    log:
        "results/logs/scores_variant/{variant}.log",
    benchmark:
        "results/benchmarks/scores_variant/{variant}.tsv"


rule robustness:
    """One table of all variants of an analysis: negative control, learning curve, ..."""
    input:
        scores=lambda w: expand("results/robustness/{name}/scores.csv", name=PLAN.variants[w.analysis]),
    output:
        **printed_table("results/tables/{analysis}"),
    log:
        "results/logs/robustness/{analysis}.log",
    benchmark:
        "results/benchmarks/robustness/{analysis}.tsv"
    conda:
        "../envs/dlre.yaml"
    params:
        analysis="{analysis}",
        variants=lambda wildcards: PLAN.variants[wildcards.analysis],
        settings=ACCURACY_SETTINGS,
        simulated=SIMULATED,
    script:
        "../scripts/robustness/robustness.py"


rule fusion:
    """DLRE, stiffness and blood in one score, fitted on out-of-fold predictions of training patients."""
    input:
        scores=f"results/scores/{PLAN.main_arm}.csv",
        folds=expand("results/robustness/{fold}/scores.csv", fold=PLAN.folds[PLAN.main_arm]),
    output:
        **printed_table("results/tables/fusion"),
        scores="results/robustness/fusion_scores.csv",
    log:
        "results/logs/fusion.log",
    benchmark:
        "results/benchmarks/fusion.tsv"
    conda:
        "../envs/dlre.yaml"
    params:
        settings=ACCURACY_SETTINGS,
        simulated=SIMULATED,
    script:
        "../scripts/robustness/fusion.py"


rule other_comparators:
    """What else the network can be compared with, and published cut-offs applied to this cohort."""
    input:
        scores=f"results/scores/{PLAN.main_arm}.csv",
        patients="results/clinical/patients.csv",
    output:
        **printed_table("results/tables/other_comparators"),
    log:
        "results/logs/other_comparators.log",
    benchmark:
        "results/benchmarks/other_comparators.tsv"
    conda:
        "../envs/dlre.yaml"
    params:
        upper_limits=UPPER_LIMITS,
        confidence=config["statistics"]["confidence"],
        interval=config["statistics"]["auc_interval"],
        simulated=SIMULATED,
    script:
        "../scripts/robustness/other_comparators.py"


rule subanalyses:
    """AUC by group of any column of the clinical table, and tests between the groups."""
    input:
        scores=f"results/scores/{PLAN.main_arm}.csv",
        patients="results/clinical/patients.csv",
        acquisitions="results/store/acquisitions.csv",
    output:
        **printed_table("results/tables/subanalyses"),
        tests="results/tables/subanalyses_tests.csv",
    log:
        "results/logs/subanalyses.log",
    benchmark:
        "results/benchmarks/subanalyses.tsv"
    conda:
        "../envs/dlre.yaml"
    params:
        groupings=config["subanalyses"],
        confidence=config["statistics"]["confidence"],
        interval=config["statistics"]["auc_interval"],
        simulated=SIMULATED,
    script:
        "../scripts/robustness/subanalyses.py"


rule subanalyses_figure:
    """AUC by group of any column of the clinical table, as a forest figure."""
    input:
        table="results/tables/subanalyses.csv",
        tests="results/tables/subanalyses_tests.csv",
    output:
        **drawn_figure("results/figures/subanalyses"),
    log:
        "results/logs/subanalyses_figure.log",
    benchmark:
        "results/benchmarks/subanalyses_figure.tsv"
    conda:
        "../envs/dlre.yaml"
    params:
        confidence=config["statistics"]["confidence"],
        simulated=SIMULATED,
    script:
        "../scripts/robustness/subanalyses_figure.py"


rule choices:
    """AUC with k pictures, averaged over all choices of k of a patient's pictures."""
    input:
        predictions=f"results/predictions/{PLAN.main_arm}.csv",
        acquisitions="results/store/acquisitions.csv",
    output:
        **printed_table("results/tables/choices"),
    log:
        "results/logs/choices.log",
    benchmark:
        "results/benchmarks/choices.tsv"
    conda:
        "../envs/dlre.yaml"
    params:
        aggregate=config["statistics"]["aggregate"],
        confidence=config["statistics"]["confidence"],
        simulated=SIMULATED,
    script:
        "../scripts/robustness/choices.py"
