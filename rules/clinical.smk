rule clinical_table:
    """Check the clinical table against the data contract and take the identities out of it."""
    input:
        clinical=f"{COHORT}/clinical.csv",
    output:
        patients="results/clinical/patients.csv",
        problems="results/clinical/problems.csv",
    log:
        "results/logs/clinical_table.log",
    benchmark:
        "results/benchmarks/clinical_table.tsv"
    conda:
        "../envs/dlre.yaml"
    threads: 1
    resources:
        mem_mb=growing(1000),
        runtime=10,
    params:
        hospitals=HOSPITALS,
        digest=contents(f"{COHORT}/clinical.csv"),
        key_file=config["privacy"]["key_file"],
        date_shift_days=config["privacy"]["date_shift_days"],
        simulated=SIMULATED,
        seed=config["cohort"]["seed"],
        core=core("clinical", "deidentify"),
    script:
        "../scripts/clinical_table.py"
