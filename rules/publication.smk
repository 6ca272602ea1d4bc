"""The networks for others: `make publish`."""


rule publish:
    """Write one archive with networks, frozen cut-offs, examples and a model card (make publish)."""
    input:
        study="results/serving/frozen_study.json",
        served="results/serving/model_repository/dlre/config.pbtxt",
        weights=expand(f"results/models/{PLAN.main_arm}/{{stage}}.safetensors", stage=QUESTIONS),
        table_2="results/tables/table_2.csv",
        subgroups=expand("results/tables/supplementary_table_{n}.csv", n=PLAN.subgroups),
        examples="results/example_inbox",
    output:
        archive="results/publication/model.zip",
    log:
        "results/logs/publish.log",
    benchmark:
        "results/benchmarks/publish.tsv"
    conda:
        "../envs/dlre.yaml"
    params:
        serving=subpath(input.study, parent=True),
        stages=QUESTIONS,
        publication=config["publication"],
        confidence=config["statistics"]["confidence"],
    script:
        "../scripts/publication/publish.py"
