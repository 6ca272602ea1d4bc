"""Pictures from a PACS: `make pull`, or as the study's first step where it is the source."""


checkpoint pull_hospital:
    """Fetch what a hospital's folder lacks of the studies listed for it; say what did not come.

    Which files there are is known afterwards only. The folder is no output: Snakemake would empty it.
    """
    input:
        studies=ancient(f"{COHORT}/studies.csv"),
    output:
        counts="results/pacs/{hospital}_counts.csv",
        failures="results/pacs/{hospital}_failures.csv",
    log:
        "results/logs/pull_hospital/{hospital}.log",
    benchmark:
        "results/benchmarks/pull_hospital/{hospital}.tsv"
    conda:
        "../envs/dlre.yaml"
    threads: 1
    resources:
        mem_mb=growing(1500),
        runtime=720,
    params:
        folder=COHORT,
        hospital="{hospital}",
        studies=listed_studies,
        dicomweb=config["cohort"]["dicomweb"],
        limits=config["ingestion"]["limits"],
        core=core("pacs.pull"),
    script:
        "../scripts/pull_hospital.py"


rule pulled_studies:
    """Join what was pulled and what failed, of all hospitals."""
    input:
        counts=expand("results/pacs/{hospital}_counts.csv", hospital=HOSPITALS),
        failures=expand("results/pacs/{hospital}_failures.csv", hospital=HOSPITALS),
    output:
        counts="results/pacs/counts.csv",
        failures="results/pacs/failures.csv",
    log:
        "results/logs/pulled_studies.log",
    benchmark:
        "results/benchmarks/pulled_studies.tsv"
    conda:
        "../envs/dlre.yaml"
    threads: 1
    resources:
        mem_mb=growing(1000),
        runtime=10,
    params:
        core=core("tabular"),
    script:
        "../scripts/pulled_studies.py"
