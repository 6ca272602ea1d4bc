"""Train the networks of every arm, and serve them."""


rule train:
    """Train the three networks of an arm; a killed job goes on from its last epoch."""
    input:
        **SQUARES,
        split=lambda wildcards: f"results/splits/{config['arms'][wildcards.arm]['split']}.csv",
        checked=lambda wildcards: f"results/splits/{config['arms'][wildcards.arm]['split']}_leak_check.csv",
    output:
        **weights("results/models/{arm}"),
        history="results/models/{arm}/history.csv",
    log:
        "results/logs/train/{arm}.log",
    benchmark:
        "results/benchmarks/train/{arm}.tsv"
    conda:
        "../envs/dlre.yaml"
    # One network per thread: with three threads (--set-threads) the three networks of an arm train side by side.
    resources:
        mem_mb=growing(6000),
        runtime=240,
        gpu=0,
    params:
        arm="{arm}",
        images=lambda wildcards: config["arms"][wildcards.arm]["images"],
        kind=lambda wildcards: PLAN.kinds[wildcards.arm],
        settings={k: v for k, v in config["training"].items() if k != "permute_labels"},
        speed="results/benchmarks/train/{arm}_images_per_second.csv",
        checkpoints="results/checkpoints/{arm}",
    script:
        "../scripts/network/train.py"


rule model_repository:
    """Write the networks of all arms as one Triton model, checked against PyTorch."""
    input:
        expand("results/models/{arm}/{stage}.safetensors", arm=ARMS, stage=QUESTIONS),
    output:
        manifest="results/serving/model_repository/dlre/1/manifest.json",
        program="results/serving/model_repository/dlre/1/model.py",
        networks=expand("results/serving/model_repository/dlre/1/{arm}.onnx", arm=ARMS),
        config="results/serving/model_repository/dlre/config.pbtxt",
    log:
        "results/logs/model_repository.log",
    benchmark:
        "results/benchmarks/model_repository.tsv"
    conda:
        "../envs/dlre.yaml"
    resources:
        mem_mb=growing(2000),
    params:
        models=subpath(input[0], ancestor=2),
        folder=subpath(output.config, ancestor=2),
        # The first arm of the configuration answers requests that name none.
        arms=list(config["arms"]),
        simulated=SIMULATED,
        device=config["serving"]["device"],
        provenance={"arms": config["arms"]},
    script:
        "../scripts/network/model_repository.py"


rule predict:
    """Start one Triton server and ask it for the probabilities of every picture of every arm."""
    input:
        **SQUARES,
        served="results/serving/model_repository/dlre/config.pbtxt",
        manifest="results/serving/model_repository/dlre/1/manifest.json",
        networks=expand("results/serving/model_repository/dlre/1/{arm}.onnx", arm=ARMS),
        splits=expand("results/splits/{split}.csv", split=PLAN.splits),
    output:
        expand("results/predictions/{arm}.csv", arm=ARMS),
    log:
        "results/logs/predict.log",
        server="results/logs/predict_server.log",
    benchmark:
        "results/benchmarks/predict.tsv"
    # A lost server is the one fault that trying again can cure.
    retries: 1
    conda:
        "../envs/dlre.yaml"
    threads: 2
    resources:
        mem_mb=growing(3000),
        runtime=60,
    params:
        repository=subpath(input.served, ancestor=2),
        splits=PLAN.splits,
        arms={arm: config["arms"][arm] for arm in ARMS},
        serving=config["serving"],
    script:
        "../scripts/network/predict.py"


rule frozen_study:
    """Freeze cut-offs and the range of the training pictures beside the networks, for new patients."""
    input:
        table="results/tables/table_2.csv",
        decisions="results/tables/dual_cutoffs.csv",
        recalibration="results/tables/recalibration_fits.json",
        predictions=f"results/predictions/{PLAN.main_arm}.csv",
        acquisitions="results/store/acquisitions.csv",
        rois="results/roi/rois.h5",
        manifest="results/serving/model_repository/dlre/1/manifest.json",
    output:
        study="results/serving/frozen_study.json",
    log:
        "results/logs/frozen_study.log",
    benchmark:
        "results/benchmarks/frozen_study.tsv"
    conda:
        "../envs/dlre.yaml"
    resources:
        mem_mb=growing(2000),
    params:
        repository=subpath(input.manifest, ancestor=3),
        facts={
            "title": config["report"]["title"],
            "simulated": SIMULATED,
            "arm": PLAN.main_arm,
            "images_per_patient": config["arms"][PLAN.main_arm]["images"],
            "aggregate": config["statistics"]["aggregate"],
            "scale_maximum_kpa": config["ingestion"]["scale_maximum_kpa"],
            "primary_hypothesis": config.get("primary_hypothesis"),
        },
    script:
        "../scripts/network/frozen_study.py"
