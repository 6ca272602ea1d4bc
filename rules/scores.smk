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
    threads: 1
    resources:
        mem_mb=growing(1000),
        runtime=10,
    params:
        aggregate=config["statistics"]["aggregate"],
        ast_limit=config["statistics"]["ast_upper_limit_of_normal_iu_l"],
        ast_limits=config["statistics"]["ast_upper_limit_of_normal_by_hospital_iu_l"],
        core=core("scores", "tabular"),
    script:
        "../scripts/scores.py"
