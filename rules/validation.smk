"""External validation: `make validate MODEL=folder FOLDER="cohort ..."`. Nothing is trained."""


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
        core=core("validation.cohorts"),
    script:
        "../scripts/predict_external.py"


use rule scores as external_scores with:
    input:
        predictions="results/validation/{cohort}/predictions.csv",
        acquisitions="results/validation/{cohort}/acquisitions.csv",
        patients="results/validation/{cohort}/patients.csv",
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
        table="results/validation/{cohort}/table_2.csv",
        table_html="results/validation/{cohort}/table_2.html",
        table_tex="results/validation/{cohort}/table_2.tex",
        roc="results/validation/{cohort}/roc.svg",
        roc_png="results/validation/{cohort}/roc.png",
        roc_text="results/validation/{cohort}/roc.txt",
        calibration="results/validation/{cohort}/calibration.csv",
        calibration_html="results/validation/{cohort}/calibration.html",
        calibration_tex="results/validation/{cohort}/calibration.tex",
        calibration_svg="results/validation/{cohort}/calibration.svg",
        calibration_png="results/validation/{cohort}/calibration.png",
        calibration_text="results/validation/{cohort}/calibration.txt",
    log:
        "results/logs/external_exhibits/{cohort}.log",
    benchmark:
        "results/benchmarks/external_exhibits/{cohort}.tsv"
    conda:
        "../envs/dlre.yaml"
    threads: 1
    resources:
        mem_mb=growing(1000),
        runtime=10,
    params:
        model=subpath(input.study, parent=True),
        model_digest=frozen_model(VALIDATION_MODEL),
        settings=ACCURACY_SETTINGS,
        core=core("validation"),
    script:
        "../scripts/external_exhibits.py"


rule validation_report:
    """One page of all external cohorts, side by side and one by one."""
    input:
        expand(
            "results/validation/{cohort}/{file}",
            cohort=VALIDATED,
            file=VALIDATED_FILES.values(),
        ),
        study=f"{VALIDATION_MODEL}/frozen_study.json",
    output:
        "results/validation/report.html",
    log:
        "results/logs/validation_report.log",
    benchmark:
        "results/benchmarks/validation_report.tsv"
    conda:
        "../envs/dlre.yaml"
    threads: 1
    resources:
        mem_mb=growing(1000),
        runtime=10,
    params:
        model=subpath(input.study, parent=True),
        model_digest=frozen_model(VALIDATION_MODEL),
        folders={name: f"results/validation/{name}" for name in VALIDATED},
        files=VALIDATED_FILES,
        confidence=config["statistics"]["confidence"],
        core=core("validation", "report"),
    script:
        "../scripts/validation_report.py"
