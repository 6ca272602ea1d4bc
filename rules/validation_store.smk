"""External cohorts, read, cropped and enrolled exactly as a study's own."""


use rule clinical_table as external_clinical_table with:
    input:
        clinical=external("clinical.csv"),
    output:
        patients="results/validation/{cohort}/patients.csv",
        problems="results/validation/{cohort}/problems.csv",
    log:
        "results/logs/external_clinical_table/{cohort}.log",
    benchmark:
        "results/benchmarks/external_clinical_table/{cohort}.tsv"
    params:
        hospitals=lambda wildcards: VALIDATED_HOSPITALS[wildcards.cohort],
        digest=external_clinical,
        simulated=False,


use rule ingest_hospital as ingest_external with:
    input:
        pictures=external("dicom/{external_hospital}"),
        clinical=external("clinical.csv"),
        tables=lambda wildcards: list(external_tables(wildcards).values()),
    output:
        shard="results/validation/{cohort}/store/{external_hospital}.h5",
        acquisitions="results/validation/{cohort}/store/{external_hospital}_acquisitions.csv",
        rejects="results/validation/{cohort}/store/{external_hospital}_rejects.csv",
        counts="results/validation/{cohort}/store/{external_hospital}_counts.csv",
    log:
        "results/logs/ingest_external/{cohort}_{external_hospital}.log",
    benchmark:
        "results/benchmarks/ingest_external/{cohort}_{external_hospital}.tsv"
    params:
        hospital="{external_hospital}",
        private_name="validation/{cohort}/{external_hospital}",
        digest=lambda wildcards: tree_digest(
            f"{VALIDATED[wildcards.cohort]}/dicom/{wildcards.external_hospital}",
            DIGESTS,
            LARGEST_FILE,
        ),
        rows=external_rows,
        optional_tables=external_tables,
        simulated=False,


use rule image_store as external_store with:
    input:
        shards=of_hospitals("store/{external_hospital}.h5"),
        acquisitions=of_hospitals("store/{external_hospital}_acquisitions.csv"),
        rejects=of_hospitals("store/{external_hospital}_rejects.csv"),
        counts=of_hospitals("store/{external_hospital}_counts.csv"),
    output:
        store="results/validation/{cohort}/images.h5",
        acquisitions="results/validation/{cohort}/acquisitions.csv",
        rejects="results/validation/{cohort}/rejects.csv",
        counts="results/validation/{cohort}/counts.csv",
    log:
        "results/logs/external_store/{cohort}.log",
    benchmark:
        "results/benchmarks/external_store/{cohort}.tsv"


use rule crop_rois as crop_external with:
    input:
        shard="results/validation/{cohort}/store/{external_hospital}.h5",
        acquisitions="results/validation/{cohort}/store/{external_hospital}_acquisitions.csv",
    output:
        rois="results/validation/{cohort}/roi/{external_hospital}.h5",
        table="results/validation/{cohort}/roi/{external_hospital}_rois.csv",
    log:
        "results/logs/crop_external/{cohort}_{external_hospital}.log",
    benchmark:
        "results/benchmarks/crop_external/{cohort}_{external_hospital}.tsv"


use rule roi_store as external_rois with:
    input:
        rois=of_hospitals("roi/{external_hospital}.h5"),
        tables=of_hospitals("roi/{external_hospital}_rois.csv"),
    output:
        rois="results/validation/{cohort}/rois.h5",
        table="results/validation/{cohort}/rois.csv",
    log:
        "results/logs/external_rois/{cohort}.log",
    benchmark:
        "results/benchmarks/external_rois/{cohort}.tsv"


use rule enrolment as external_enrolment with:
    input:
        patients="results/validation/{cohort}/patients.csv",
        acquisitions="results/validation/{cohort}/acquisitions.csv",
    output:
        enrolment="results/validation/{cohort}/enrolment.csv",
        flow="results/validation/{cohort}/flow.csv",
    log:
        "results/logs/external_enrolment/{cohort}.log",
    benchmark:
        "results/benchmarks/external_enrolment/{cohort}.tsv"
