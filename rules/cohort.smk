"""Where the cohort comes from, if not from a folder: simulated, or pulled from a PACS."""

if SIMULATED:

    rule simulate_clinical:
        """Write the clinical table of the simulated cohort: no real patients."""
        output:
            clinical="results/simulated_cohort/clinical.csv",
        log:
            "results/logs/simulate_clinical.log",
        benchmark:
            "results/benchmarks/simulate_clinical.tsv"
        conda:
            "../envs/dlre.yaml"
        params:
            cohort=config["cohort"]["simulated"],
            size=config["cohort"]["size"],
            seed=config["cohort"]["seed"],
        script:
            "../scripts/cohort/simulate_clinical.py"

    rule simulate_hospital:
        """Write the picture files of one simulated hospital, and its Q-Box measurements."""
        output:
            pictures=directory("results/simulated_cohort/dicom/{hospital}"),
            measurements="results/simulated_cohort/measurements/{hospital}.csv",
        log:
            "results/logs/simulate_hospital/{hospital}.log",
        benchmark:
            "results/benchmarks/simulate_hospital/{hospital}.tsv"
        conda:
            "../envs/dlre.yaml"
        resources:
            runtime=60,
        params:
            folder=subpath(output.pictures, ancestor=2),
            hospital="{hospital}",
            cohort=config["cohort"]["simulated"],
            size=config["cohort"]["size"],
            seed=config["cohort"]["seed"],
            texture_signal=config["cohort"]["texture_signal"],
            screens=lambda wildcards: SCREENS.get(wildcards.hospital, {}),
        script:
            "../scripts/cohort/simulate_hospital.py"

    rule simulated_measurements:
        """Join what the simulated hospitals measured into measurements.csv, and their squares into roi.csv."""
        input:
            expand("results/simulated_cohort/measurements/{hospital}.csv", hospital=HOSPITALS),
        output:
            **OPTIONAL_TABLES,
        log:
            "results/logs/simulated_measurements.log",
        benchmark:
            "results/benchmarks/simulated_measurements.tsv"
        conda:
            "../envs/dlre.yaml"
        script:
            "../scripts/cohort/simulated_measurements.py"


if PACS:
    # Pictures from a PACS: `make pull`, or as the study's first step where it is the source.

    checkpoint pull_hospital:
        """Fetch what a hospital's folder lacks; it is no output, since Snakemake would empty it."""
        input:
            studies=ancient(str(table_path(COHORT, "studies"))),
        output:
            counts="results/pacs/{hospital}_counts.csv",
            failures="results/pacs/{hospital}_failures.csv",
        log:
            "results/logs/pull_hospital/{hospital}.log",
        benchmark:
            "results/benchmarks/pull_hospital/{hospital}.tsv"
        conda:
            "../envs/dlre.yaml"
        resources:
            mem_mb=growing(1500),
            runtime=720,
        params:
            folder=COHORT,
            hospital="{hospital}",
            studies=lambda wildcards: listed_digest(COHORT, wildcards.hospital),
            dicomweb=config["cohort"]["dicomweb"],
            limits=config["ingestion"]["limits"],
        script:
            "../scripts/cohort/pull_hospital.py"

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
        script:
            "../scripts/cohort/pulled_studies.py"
