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
    threads: 1
    resources:
        mem_mb=growing(1000),
        runtime=30,
    params:
        core=core("roi"),
    script:
        "../scripts/crop_rois.py"


rule roi_store:
    """Join the squares of all hospitals by virtual datasets."""
    input:
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
    threads: 1
    resources:
        mem_mb=growing(1000),
        runtime=10,
    params:
        core=core("roi"),
    script:
        "../scripts/roi_store.py"
