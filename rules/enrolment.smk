rule enrolment:
    """Apply the paper's inclusion and exclusion criteria to every eligible patient."""
    input:
        patients="results/clinical/patients.csv",
        acquisitions="results/store/acquisitions.csv",
    output:
        enrolment="results/enrolment/enrolment.csv",
        flow="results/enrolment/flow.csv",
    log:
        "results/logs/enrolment.log",
    benchmark:
        "results/benchmarks/enrolment.tsv"
    conda:
        "../envs/dlre.yaml"
    threads: 1
    resources:
        mem_mb=growing(1000),
        runtime=10,
    params:
        criteria=config["enrolment"],
        core=core("enrolment", "tabular"),
    script:
        "../scripts/enrolment.py"
