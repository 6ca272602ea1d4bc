"""Clinical table, enrolment, and the division into training and validation."""


rule clinical_table:
    """Check the clinical table against the data contract and take the identities out of it."""
    input:
        clinical=CLINICAL,
    output:
        patients="results/clinical/patients.csv",
        problems="results/clinical/problems.csv",
    log:
        "results/logs/clinical_table.log",
    benchmark:
        "results/benchmarks/clinical_table.tsv"
    conda:
        "../envs/dlre.yaml"
    params:
        **config["privacy"],
        hospitals=HOSPITALS,
        digest=contents(CLINICAL),
        units=UNITS,
        simulated=SIMULATED,
        seed=config["cohort"]["seed"],
    script:
        "../scripts/patients/clinical_table.py"


rule other_tables:
    """Check the measurements and the hand-drawn squares against the data contract."""
    input:
        **OPTIONAL_TABLES,
    output:
        problems="results/clinical/other_problems.csv",
    log:
        "results/logs/other_tables.log",
    benchmark:
        "results/benchmarks/other_tables.tsv"
    conda:
        "../envs/dlre.yaml"
    params:
        **config["privacy"],
        hospitals=HOSPITALS,
        digest=contents(*OPTIONAL_TABLES.values()),
        units=UNITS,
        simulated=SIMULATED,
        seed=config["cohort"]["seed"],
    script:
        "../scripts/patients/other_tables.py"


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
    params:
        criteria=config["enrolment"],
    script:
        "../scripts/patients/enrolment.py"


rule reliability:
    """Whether each patient's stiffness measurements agree, by the rule of the device's maker."""
    input:
        acquisitions="results/store/acquisitions.csv",
    output:
        **printed_table("results/store/reliability"),
    log:
        "results/logs/reliability.log",
    benchmark:
        "results/benchmarks/reliability.tsv"
    conda:
        "../envs/dlre.yaml"
    params:
        simulated=SIMULATED,
    script:
        "../scripts/patients/reliability.py"


rule split:
    """Divide the enrolled patients into cohorts; a corrected stage divides anew, a laboratory value does not."""
    input:
        clinical=ancient(CLINICAL),
        acquisitions="results/store/acquisitions.csv",
    output:
        split="results/splits/{split}.csv",
    log:
        "results/logs/split/{split}.log",
    benchmark:
        "results/benchmarks/split/{split}.tsv"
    conda:
        "../envs/dlre.yaml"
    params:
        **config["privacy"],
        division=lambda wildcards: config["splits"][wildcards.split],
        seed=config["training"]["seed"],
        permute_labels=config["training"]["permute_labels"],
        eligible=lambda w: eligible_of(w.split),
        hospitals=HOSPITALS,
        units=UNITS,
        criteria=config["enrolment"],
        simulated=SIMULATED,
        cohort_seed=config["cohort"]["seed"],
    script:
        "../scripts/patients/split.py"


rule leak_check:
    """Stop the study if a patient, a picture or a near-duplicate stands in two cohorts of a split."""
    input:
        **SQUARES,
        split="results/splits/{split}.csv",
        acquisitions="results/store/acquisitions.csv",
    output:
        checked="results/splits/{split}_leak_check.csv",
    log:
        "results/logs/leak_check/{split}.log",
    benchmark:
        "results/benchmarks/leak_check/{split}.tsv"
    conda:
        "../envs/dlre.yaml"
    script:
        "../scripts/patients/leak_check.py"
