rule headline_figure:
    """AUCs of all methods in the validation cohort at a glance."""
    input:
        table="results/tables/table_2.csv",
    output:
        svg=report(
            "results/figures/headline.svg",
            caption="report/figure.rst",
            category="Figures",
            labels={"figure": "headline", "form": "SVG"},
        ),
        png="results/figures/headline.png",
        text="results/figures/headline.txt",
    log:
        "results/logs/headline_figure.log",
    benchmark:
        "results/benchmarks/headline_figure.tsv"
    conda:
        "../envs/dlre.yaml"
    threads: 1
    resources:
        mem_mb=growing(1000),
        runtime=10,
    params:
        what="AUC of every method, validation cohort",
        simulated=SIMULATED,
        core=core("figures.headline", "figures.captions"),
    script:
        "../scripts/headline_figure.py"


rule heat_maps:
    """What spoke for right and wrong answers: the most decided case of every kind."""
    input:
        table="results/tables/table_2.csv",
        predictions=f"results/predictions/{MAIN_ARM}.csv",
        rois="results/roi/rois.csv",
        pictures="results/roi/rois.h5",
        weights=expand(f"results/models/{MAIN_ARM}/{{stage}}.safetensors", stage=STAGES),
    output:
        jpg=report(
            "results/figures/heat_maps.jpg",
            caption="report/figure.rst",
            category="Figures",
            labels={"figure": "heat maps", "form": "JPEG"},
        ),
        text="results/figures/heat_maps.txt",
    log:
        "results/logs/heat_maps.log",
    benchmark:
        "results/benchmarks/heat_maps.tsv"
    conda:
        "../envs/dlre.yaml"
    threads: 1
    resources:
        mem_mb=growing(1000),
        runtime=10,
    params:
        what="Heat maps of right and wrong cases",
        stages=STAGES,
        simulated=SIMULATED,
        core=core("figures.pictures", "figures.captions"),
    script:
        "../scripts/heat_maps.py"


rule contact_sheets:
    """Squares of every hospital, and those with the least signal, to look at."""
    input:
        rois="results/roi/rois.csv",
        pictures="results/roi/rois.h5",
        acquisitions="results/store/acquisitions.csv",
    output:
        hospitals=report(
            "results/figures/contact_sheet.jpg",
            caption="report/figure.rst",
            category="Quality",
            labels={"figure": "contact sheet", "form": "JPEG"},
        ),
        hospitals_text="results/figures/contact_sheet.txt",
        least="results/figures/contact_sheet_least_signal.jpg",
        least_text="results/figures/contact_sheet_least_signal.txt",
    log:
        "results/logs/contact_sheets.log",
    benchmark:
        "results/benchmarks/contact_sheets.tsv"
    conda:
        "../envs/dlre.yaml"
    threads: 1
    resources:
        mem_mb=growing(1000),
        runtime=10,
    params:
        what="Contact sheets",
        simulated=SIMULATED,
        core=core("figures.pictures", "figures.captions"),
    script:
        "../scripts/contact_sheets.py"
