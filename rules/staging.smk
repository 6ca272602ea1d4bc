"""New patients: `make stage INBOX=folder`. Four simulated ones where no inbox is given."""

# Absolute, so that no job of this study makes it: a frozen study is never run again from here.
MODEL = os.path.abspath(model_folder(config["staging"]["model"], ".dlre/models"))
INBOX = config["staging"]["inbox"] or "results/example_inbox"


rule example_patients:
    """Write the DICOM files of four simulated patients, F0-1 to F4, that no study has seen."""
    output:
        directory("results/example_inbox"),
    log:
        "results/logs/example_patients.log",
    benchmark:
        "results/benchmarks/example_patients.tsv"
    conda:
        "../envs/dlre.yaml"
    params:
        seed=config["cohort"]["seed"],
    script:
        "../scripts/staging/example_patients.py"


use rule ingest_hospital as ingest_inbox with:
    input:
        pictures=INBOX,
        clinical=[],
        tables=[],
    output:
        shard="results/staging/inbox.h5",
        acquisitions="results/staging/acquisitions.csv",
        rejects="results/staging/rejects.csv",
        counts="results/staging/counts.csv",
    log:
        "results/logs/ingest_inbox.log",
    benchmark:
        "results/benchmarks/ingest_inbox.tsv"
    params:
        hospital="inbox",
        private_name="staging/inbox",
        digest=lambda wildcards: pictures_digest(INBOX),
        rows="",
        optional_tables={},
        units=[],
        screens=lambda wildcards: profile_entries(INBOX, "inbox"),
        simulated=False,


use rule crop_rois as crop_inbox with:
    input:
        shard="results/staging/inbox.h5",
        acquisitions="results/staging/acquisitions.csv",
    output:
        rois="results/staging/rois.h5",
        table="results/staging/rois.csv",
    log:
        "results/logs/crop_inbox.log",
    benchmark:
        "results/benchmarks/crop_inbox.tsv"
    params:
        pictures=lambda wildcards: pictures_seen(MODEL),


rule stage_inbox:
    """Ask the frozen networks for every new patient; write tables, pages and files for the PACS."""
    input:
        inbox=INBOX,
        study=f"{MODEL}/frozen_study.json",
        manifest=f"{MODEL}/model_repository/dlre/1/manifest.json",
        rois="results/staging/rois.h5",
        table="results/staging/rois.csv",
        acquisitions="results/staging/acquisitions.csv",
        rejects="results/staging/rejects.csv",
        counts="results/staging/counts.csv",
    output:
        images="results/staging/images.csv",
        patients="results/staging/patients.csv",
        overview="results/staging/index.html",
        pages=directory("results/staging/patients"),
    log:
        "results/logs/stage_inbox.log",
        server="results/logs/stage_inbox_server.log",
    benchmark:
        "results/benchmarks/stage_inbox.tsv"
    retries: 1
    conda:
        "../envs/dlre.yaml"
    threads: 2
    resources:
        mem_mb=growing(3000),
        runtime=60,
    params:
        **config["privacy"],
        code="inbox",
        images_per_patient=config["enrolment"]["images_per_patient"],
        scale_maximum_kpa=config["ingestion"]["scale_maximum_kpa"],
        model=subpath(input.study, parent=True),
        model_digest=frozen_model(MODEL),
        outbox=config["staging"]["outbox"],
        limits=config["ingestion"]["limits"],
        trust_uids=config["ingestion"].get("trust_uids", True),
        serving=config["serving"],
    script:
        "../scripts/staging/stage_inbox.py"
