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
    threads: 1
    resources:
        mem_mb=growing(1000),
        runtime=60,
    params:
        core=core("radiomics"),
    script:
        "../scripts/radiomics_features.py"


rule radiomics:
    """Table 2 with a logistic model of the texture as one more method."""
    input:
        scores=f"results/scores/{MAIN_ARM}.csv",
        predictions=f"results/predictions/{MAIN_ARM}.csv",
        features=expand("results/radiomics/{hospital}.csv", hospital=HOSPITALS),
    output:
        csv="results/tables/radiomics.csv",
        html="results/tables/radiomics.html",
        tex="results/tables/radiomics.tex",
        scores="results/robustness/radiomics_scores.csv",
    log:
        "results/logs/radiomics.log",
    benchmark:
        "results/benchmarks/radiomics.tsv"
    conda:
        "../envs/dlre.yaml"
    threads: 1
    resources:
        mem_mb=growing(1000),
        runtime=10,
    params:
        settings=ACCURACY_SETTINGS,
        simulated=SIMULATED,
        core=core("radiomics", "tables.printed"),
    script:
        "../scripts/radiomics.py"
