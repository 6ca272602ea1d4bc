"""External cohorts: `make validate MODEL=folder FOLDER="cohort ..."`. Nothing is trained."""


use rule clinical_table as external_clinical_table with:
    input:
        clinical=lambda wildcards: VALIDATED_CLINICAL[wildcards.cohort],
    output:
        patients="results/validation/{cohort}/patients.csv",
        problems="results/validation/{cohort}/problems.csv",
    log:
        "results/logs/external_clinical_table/{cohort}.log",
    benchmark:
        "results/benchmarks/external_clinical_table/{cohort}.tsv"
    params:
        hospitals=lambda wildcards: VALIDATED_HOSPITALS[wildcards.cohort],
        digest=lambda wildcards: contents_digest(VALIDATED_CLINICAL[wildcards.cohort]),
        cohort="{cohort}",
        units=EVERY_UNIT,
        simulated=False,


use rule ingest_hospital as ingest_external with:
    input:
        pictures=lambda wildcards: f"{VALIDATED[wildcards.cohort]}/dicom/{wildcards.external_hospital}",
        clinical=lambda wildcards: VALIDATED_CLINICAL[wildcards.cohort],
        tables=lambda wildcards: list(VALIDATED_TABLES[wildcards.cohort].values()),
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
        digest=lambda wildcards: pictures_digest(f"{VALIDATED[wildcards.cohort]}/dicom/{wildcards.external_hospital}"),
        rows=lambda w: hospital_tables_digest(
            VALIDATED[w.cohort], w.external_hospital, given_units(EVERY_UNIT, w.cohort)
        ),
        optional_tables=lambda wildcards: VALIDATED_TABLES[wildcards.cohort],
        screens=lambda wildcards: profile_entries(VALIDATED[wildcards.cohort], wildcards.external_hospital),
        cohort="{cohort}",
        units=EVERY_UNIT,
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
    params:
        pictures=lambda wildcards: pictures_seen(VALIDATION_MODEL),


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


rule predict_external:
    """Ask the frozen networks for every picture of an external cohort."""
    input:
        study=f"{VALIDATION_MODEL}/frozen_study.json",
        manifest=f"{VALIDATION_MODEL}/model_repository/dlre/1/manifest.json",
        patients="results/validation/{cohort}/patients.csv",
        acquisitions="results/validation/{cohort}/acquisitions.csv",
        rois="results/validation/{cohort}/rois.h5",
        table="results/validation/{cohort}/rois.csv",
    output:
        predictions="results/validation/{cohort}/predictions.csv",
    log:
        "results/logs/predict_external/{cohort}.log",
        server="results/logs/predict_external/{cohort}_server.log",
    benchmark:
        "results/benchmarks/predict_external/{cohort}.tsv"
    retries: 1
    conda:
        "../envs/dlre.yaml"
    threads: 2
    resources:
        mem_mb=growing(3000),
        runtime=60,
    params:
        model=subpath(input.study, parent=True),
        model_digest=frozen_model(VALIDATION_MODEL),
        criteria=config["enrolment"],
        scale_maximum_kpa=config["ingestion"]["scale_maximum_kpa"],
        aggregate=config["statistics"]["aggregate"],
        serving=config["serving"],
    script:
        "../scripts/validation/predict_external.py"


use rule scores as external_scores with:
    input:
        predictions="results/validation/{cohort}/predictions.csv",
        acquisitions="results/validation/{cohort}/acquisitions.csv",
        patients="results/validation/{cohort}/patients.csv",
        study=f"{VALIDATION_MODEL}/frozen_study.json",
    output:
        scores="results/validation/{cohort}/scores.csv",
    log:
        "results/logs/external_scores/{cohort}.log",
    benchmark:
        "results/benchmarks/external_scores/{cohort}.tsv"


rule external_exhibits:
    """Table 2, ROC curves and calibration of an external cohort, with frozen cut-offs."""
    input:
        study=f"{VALIDATION_MODEL}/frozen_study.json",
        scores="results/validation/{cohort}/scores.csv",
    output:
        **printed_table("results/validation/{cohort}/table_2", prefix="table_"),
        **drawn_figure("results/validation/{cohort}/roc", prefix="roc_"),
        **printed_table("results/validation/{cohort}/calibration", prefix="calibration_"),
        **drawn_figure("results/validation/{cohort}/calibration", prefix="calibration_"),
        **printed_table("results/validation/{cohort}/recalibration", prefix="recalibration_"),
    log:
        "results/logs/external_exhibits/{cohort}.log",
    benchmark:
        "results/benchmarks/external_exhibits/{cohort}.tsv"
    conda:
        "../envs/dlre.yaml"
    params:
        cohort="{cohort}",
        model=subpath(input.study, parent=True),
        model_digest=frozen_model(VALIDATION_MODEL),
        settings=ACCURACY_SETTINGS,
    script:
        "../scripts/validation/external_exhibits.py"


rule validation_report:
    """One page of all external cohorts, side by side and one by one."""
    input:
        expand("results/validation/{cohort}/{file}", cohort=VALIDATED, file=VALIDATED_FILES.values()),
        study=f"{VALIDATION_MODEL}/frozen_study.json",
    output:
        "results/validation/report.html",
    log:
        "results/logs/validation_report.log",
    benchmark:
        "results/benchmarks/validation_report.tsv"
    conda:
        "../envs/dlre.yaml"
    params:
        model=subpath(input.study, parent=True),
        model_digest=frozen_model(VALIDATION_MODEL),
        folders={name: f"results/validation/{name}" for name in VALIDATED},
        files=VALIDATED_FILES,
        confidence=config["statistics"]["confidence"],
    script:
        "../scripts/validation/validation_report.py"
