"""One score per patient and method; texture of the stiffness map where it is asked for."""


rule scores:
    """One score per patient and method: DLRE, 2D-SWE stiffness, APRI and FIB-4."""
    input:
        predictions="results/predictions/{arm}.csv",
        acquisitions="results/store/acquisitions.csv",
        patients="results/clinical/patients.csv",
    output:
        scores="results/scores/{arm}.csv",
    log:
        "results/logs/scores/{arm}.log",
    benchmark:
        "results/benchmarks/scores/{arm}.tsv"
    conda:
        "../envs/dlre.yaml"
    params:
        aggregate=config["statistics"]["aggregate"],
        upper_limits=UPPER_LIMITS,
    script:
        "../scripts/comparators/scores.py"


rule radiomics_features:
    """Texture of the stiffness map of every picture of a hospital."""
    input:
        shard="results/store/{hospital}.h5",
        acquisitions="results/store/{hospital}_acquisitions.csv",
    output:
        features="results/radiomics/{hospital}.csv",
    log:
        "results/logs/radiomics_features/{hospital}.log",
    benchmark:
        "results/benchmarks/radiomics_features/{hospital}.tsv"
    conda:
        "../envs/dlre.yaml"
    resources:
        runtime=60,
    script:
        "../scripts/comparators/radiomics_features.py"


rule radiomics:
    """Table 2 with a logistic model of the texture as one more method."""
    input:
        scores=f"results/scores/{PLAN.main_arm}.csv",
        predictions=f"results/predictions/{PLAN.main_arm}.csv",
        features=expand("results/radiomics/{hospital}.csv", hospital=HOSPITALS),
        acquisitions="results/store/acquisitions.csv",
        folds=PLAN.fold_scores(PLAN.main_arm),
    output:
        **printed_table("results/tables/radiomics"),
        scores="results/robustness/radiomics_scores.csv",
    log:
        "results/logs/radiomics.log",
    benchmark:
        "results/benchmarks/radiomics.tsv"
    conda:
        "../envs/dlre.yaml"
    params:
        settings=ACCURACY_SETTINGS,
        simulated=SIMULATED,
    script:
        "../scripts/comparators/radiomics.py"
