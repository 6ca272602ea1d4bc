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
    threads: 1
    resources:
        mem_mb=growing(1000),
        runtime=10,
    params:
        size=config["cohort"]["size"],
        seed=config["cohort"]["seed"],
        core=core("simulation"),
    script:
        "../scripts/simulate_clinical.py"


rule simulate_hospital:
    """Write the DICOM files of one simulated hospital, and its Q-Box measurements."""
    output:
        pictures=directory("results/simulated_cohort/dicom/{hospital}"),
        measurements="results/simulated_cohort/measurements/{hospital}.csv",
    log:
        "results/logs/simulate_hospital/{hospital}.log",
    benchmark:
        "results/benchmarks/simulate_hospital/{hospital}.tsv"
    conda:
        "../envs/dlre.yaml"
    threads: 1
    resources:
        mem_mb=growing(1000),
        runtime=60,
    params:
        folder=subpath(output.pictures, ancestor=2),
        size=config["cohort"]["size"],
        seed=config["cohort"]["seed"],
        texture_signal=config["cohort"]["texture_signal"],
        core=core("simulation"),
    script:
        "../scripts/simulate_hospital.py"


rule simulated_measurements:
    """Join the Q-Box measurements of the simulated hospitals into measurements.csv."""
    input:
        expand("results/simulated_cohort/measurements/{hospital}.csv", hospital=HOSPITALS),
    output:
        measurements="results/simulated_cohort/measurements.csv",
    log:
        "results/logs/simulated_measurements.log",
    benchmark:
        "results/benchmarks/simulated_measurements.tsv"
    conda:
        "../envs/dlre.yaml"
    threads: 1
    resources:
        mem_mb=growing(1000),
        runtime=10,
    params:
        core=core("tabular"),
    script:
        "../scripts/simulated_measurements.py"
