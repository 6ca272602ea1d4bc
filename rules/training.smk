rule train:
    """Train the three networks of an arm; a killed job goes on from its last epoch."""
    input:
        rois="results/roi/rois.h5",
        table="results/roi/rois.csv",
        split=lambda wildcards: f"results/splits/{config['arms'][wildcards.arm]['split']}.csv",
        checked=lambda wildcards: f"results/splits/{config['arms'][wildcards.arm]['split']}_leak_check.csv",
    output:
        f4="results/models/{arm}/f4.safetensors",
        ge_f3="results/models/{arm}/ge_f3.safetensors",
        ge_f2="results/models/{arm}/ge_f2.safetensors",
        history="results/models/{arm}/history.csv",
    log:
        "results/logs/train/{arm}.log",
    benchmark:
        "results/benchmarks/train/{arm}.tsv"
    conda:
        "../envs/dlre.yaml"
    # One network a thread: three threads train the three networks of an arm side by side.
    threads: 1
    resources:
        mem_mb=growing(6000),
        runtime=240,
        gpu=0,
    params:
        arm=lambda wildcards: wildcards.arm,
        images=lambda wildcards: config["arms"][wildcards.arm]["images"],
        settings={k: v for k, v in config["training"].items() if k != "permute_labels"},
        speed="results/benchmarks/train/{arm}_images_per_second.csv",
        checkpoints="results/checkpoints/{arm}",
        core=core("arms"),
    script:
        "../scripts/train.py"
