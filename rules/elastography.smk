"""Pictures into the store, and the squares that the network sees."""


rule ingest_hospital:
    """Read one hospital's DICOM files into its shard; digests of pictures and rows decide, not their times."""
    input:
        pictures=hospital_folder,
        clinical=ancient(CLINICAL),
        tables=ancient(OPTIONAL_TABLES.values()),
    output:
        shard="results/store/{hospital}.h5",
        acquisitions="results/store/{hospital}_acquisitions.csv",
        rejects="results/store/{hospital}_rejects.csv",
        counts="results/store/{hospital}_counts.csv",
    log:
        "results/logs/ingest_hospital/{hospital}.log",
    benchmark:
        "results/benchmarks/ingest_hospital/{hospital}.tsv"
    conda:
        "../envs/dlre.yaml"
    resources:
        mem_mb=growing(1500),
        runtime=120,
    params:
        **config["privacy"],
        hospital="{hospital}",
        private_name="{hospital}",
        digest=lambda wildcards: pictures_digest(f"{COHORT}/dicom/{wildcards.hospital}"),
        rows=lambda wildcards: hospital_tables_digest(COHORT, wildcards.hospital, given_units(UNITS)),
        optional_tables=OPTIONAL_TABLES,
        units=UNITS,
        ingestion=config["ingestion"],
        screens=lambda wildcards: profile_entries(COHORT, wildcards.hospital),
        images_per_patient=config["enrolment"]["images_per_patient"],
        maximum_days_from_elastography=config["enrolment"]["maximum_days_from_elastography"],
        simulated=SIMULATED,
        seed=config["cohort"]["seed"],
    script:
        "../scripts/elastography/ingest_hospital.py"


rule image_store:
    """Join the shards of all hospitals by virtual datasets, and their tables, without what readers excluded."""
    input:
        shards=expand("results/store/{hospital}.h5", hospital=HOSPITALS),
        acquisitions=expand("results/store/{hospital}_acquisitions.csv", hospital=HOSPITALS),
        rejects=expand("results/store/{hospital}_rejects.csv", hospital=HOSPITALS),
        counts=expand("results/store/{hospital}_counts.csv", hospital=HOSPITALS),
    output:
        store="results/store/images.h5",
        acquisitions="results/store/acquisitions.csv",
        rejects="results/store/rejects.csv",
        counts="results/store/counts.csv",
    log:
        "results/logs/image_store.log",
    benchmark:
        "results/benchmarks/image_store.tsv"
    conda:
        "../envs/dlre.yaml"
    params:
        readings=lambda wildcards: {} if wildcards.get("cohort") else readings_param(COHORT, READINGS),
    script:
        "../scripts/elastography/image_store.py"


rule crop_rois:
    """Cut the 250 x 250 square with the whole elastography box out of every picture of a hospital."""
    input:
        shard="results/store/{hospital}.h5",
        acquisitions="results/store/{hospital}_acquisitions.csv",
    output:
        rois="results/roi/{hospital}.h5",
        table="results/roi/{hospital}_rois.csv",
    log:
        "results/logs/crop_rois/{hospital}.log",
    benchmark:
        "results/benchmarks/crop_rois/{hospital}.tsv"
    conda:
        "../envs/dlre.yaml"
    resources:
        runtime=30,
    params:
        by_hand=lambda wildcards: squares_param(COHORT, READINGS, wildcards.get("hospital", "")),
        pictures=PLAN.pictures,
    script:
        "../scripts/elastography/crop_rois.py"


rule roi_store:
    """Join the squares of all hospitals by virtual datasets: of the pictures that the study uses."""
    input:
        acquisitions="results/store/acquisitions.csv",
        rois=expand("results/roi/{hospital}.h5", hospital=HOSPITALS),
        tables=expand("results/roi/{hospital}_rois.csv", hospital=HOSPITALS),
    output:
        rois="results/roi/rois.h5",
        table="results/roi/rois.csv",
    log:
        "results/logs/roi_store.log",
    benchmark:
        "results/benchmarks/roi_store.tsv"
    conda:
        "../envs/dlre.yaml"
    script:
        "../scripts/elastography/roi_store.py"
