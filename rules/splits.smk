rule split:
    """Divide the enrolled patients into training and validation cohorts.

    Reads the clinical table itself, as an ancient input, and has a digest of who is eligible with
    which stage: a corrected laboratory value does not retrain anything, a corrected stage does.
    """
    input:
        clinical=ancient(f"{COHORT}/clinical.csv"),
        acquisitions="results/store/acquisitions.csv",
    output:
        split="results/splits/{split}.csv",
    log:
        "results/logs/split/{split}.log",
    benchmark:
        "results/benchmarks/split/{split}.tsv"
    conda:
        "../envs/dlre.yaml"
    threads: 1
    resources:
        mem_mb=growing(1000),
        runtime=10,
    params:
        division=lambda wildcards: config["splits"][wildcards.split],
        seed=config["training"]["seed"],
        permute_labels=config["training"]["permute_labels"],
        eligible=eligible_patients,
        hospitals=HOSPITALS,
        criteria=config["enrolment"],
        key_file=config["privacy"]["key_file"],
        date_shift_days=config["privacy"]["date_shift_days"],
        simulated=SIMULATED,
        cohort_seed=config["cohort"]["seed"],
        core=core("splits", "enrolment", "tabular"),
    script:
        "../scripts/split.py"


rule leak_check:
    """Stop the study if a patient, a picture or a near-duplicate stands on both sides of a split."""
    input:
        split="results/splits/{split}.csv",
        acquisitions="results/store/acquisitions.csv",
        rois="results/roi/rois.h5",
        table="results/roi/rois.csv",
    output:
        checked="results/splits/{split}_leak_check.csv",
    log:
        "results/logs/leak_check/{split}.log",
    benchmark:
        "results/benchmarks/leak_check/{split}.tsv"
    conda:
        "../envs/dlre.yaml"
    threads: 1
    resources:
        mem_mb=growing(1000),
        runtime=10,
    params:
        core=core("near_duplicates", "tabular"),
    script:
        "../scripts/leak_check.py"
