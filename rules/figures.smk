"""Figures 1 to 5, the supplementary figures, and figures made of pictures."""


rule figure_1:
    """Figure 1: a picture from the screen to the network, with the network's flow chart."""
    input:
        images="results/store/images.h5",
        acquisitions="results/store/acquisitions.csv",
        rois="results/roi/rois.csv",
        split=f"results/splits/{MAIN_SPLIT}.csv",
    output:
        svg=report(
            "results/figures/figure_1.svg",
            caption="report/figure.rst",
            category="Figures",
            labels={"figure": "1", "form": "SVG"},
        ),
        png="results/figures/figure_1.png",
        text="results/figures/figure_1.txt",
    log:
        "results/logs/figure_1.log",
    benchmark:
        "results/benchmarks/figure_1.tsv"
    conda:
        "../envs/dlre.yaml"
    threads: 1
    resources:
        mem_mb=growing(1000),
        runtime=10,
    params:
        what="A picture from the screen to the network",
        simulated=SIMULATED,
    script:
        "../scripts/figures/figure_1.py"


rule figure_2:
    """Figure 2: enrolment flow chart, with counts by criterion and hospital."""
    input:
        problems="results/clinical/problems.csv",
        enrolment="results/enrolment/enrolment.csv",
        flow="results/enrolment/flow.csv",
        split=f"results/splits/{MAIN_SPLIT}.csv",
    output:
        svg=report(
            "results/figures/figure_2.svg",
            caption="report/figure.rst",
            category="Figures",
            labels={"figure": "2", "form": "SVG"},
        ),
        png="results/figures/figure_2.png",
        text="results/figures/figure_2.txt",
    log:
        "results/logs/figure_2.log",
    benchmark:
        "results/benchmarks/figure_2.tsv"
    conda:
        "../envs/dlre.yaml"
    threads: 1
    resources:
        mem_mb=growing(1000),
        runtime=10,
    params:
        what="Enrolment flow chart",
        simulated=SIMULATED,
    script:
        "../scripts/figures/figure_2.py"


rule figure_3:
    """Figure 3: ROC curves of DLRE, 2D-SWE and biomarkers, six panels."""
    input:
        scores=f"results/scores/{MAIN_ARM}.csv",
        table="results/tables/table_2.csv",
    output:
        svg=report(
            "results/figures/figure_3.svg",
            caption="report/figure.rst",
            category="Figures",
            labels={"figure": "3", "form": "SVG"},
        ),
        png="results/figures/figure_3.png",
        text="results/figures/figure_3.txt",
    log:
        "results/logs/figure_3.log",
    benchmark:
        "results/benchmarks/figure_3.tsv"
    conda:
        "../envs/dlre.yaml"
    threads: 1
    resources:
        mem_mb=growing(1000),
        runtime=10,
    params:
        what="ROC curves of DLRE, 2D-SWE, APRI and FIB-4",
        settings=ACCURACY_SETTINGS,
        simulated=SIMULATED,
    script:
        "../scripts/figures/figure_3.py"


rule figure_4:
    """Figure 4: ROC curves by number of pictures, six panels."""
    input:
        scores=[f"results/scores/{arm}.csv" for arm in IMAGE_ARMS.values()],
        table="results/tables/table_3.csv",
    output:
        svg=report(
            "results/figures/figure_4.svg",
            caption="report/figure.rst",
            category="Figures",
            labels={"figure": "4", "form": "SVG"},
        ),
        png="results/figures/figure_4.png",
        text="results/figures/figure_4.txt",
    log:
        "results/logs/figure_4.log",
    benchmark:
        "results/benchmarks/figure_4.tsv"
    conda:
        "../envs/dlre.yaml"
    threads: 1
    resources:
        mem_mb=growing(1000),
        runtime=10,
    params:
        what="ROC curves by number of pictures",
        images=list(IMAGE_ARMS),
        settings=ACCURACY_SETTINGS,
        simulated=SIMULATED,
    script:
        "../scripts/figures/figure_4.py"


rule figure_5:
    """Figure 5: ROC curves by combination of training hospitals, six panels."""
    input:
        scores=[f"results/scores/{arm}.csv" for arm in HOSPITAL_ARMS],
        table="results/tables/table_4.csv",
    output:
        svg=report(
            "results/figures/figure_5.svg",
            caption="report/figure.rst",
            category="Figures",
            labels={"figure": "5", "form": "SVG"},
        ),
        png="results/figures/figure_5.png",
        text="results/figures/figure_5.txt",
    log:
        "results/logs/figure_5.log",
    benchmark:
        "results/benchmarks/figure_5.tsv"
    conda:
        "../envs/dlre.yaml"
    threads: 1
    resources:
        mem_mb=growing(1000),
        runtime=10,
    params:
        what="ROC curves by combination of training hospitals",
        hospitals=TRAINING_HOSPITALS,
        settings=ACCURACY_SETTINGS,
        simulated=SIMULATED,
    script:
        "../scripts/figures/figure_5.py"


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
    script:
        "../scripts/figures/headline_figure.py"


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
    script:
        "../scripts/figures/heat_maps.py"


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
    script:
        "../scripts/figures/contact_sheets.py"


rule supplementary_figure_1:
    """Supplementary figure 1: how training ends."""
    input:
        histories=expand("results/models/{arm}/history.csv", arm=ARMS_IN_ORDER),
    output:
        svg=report(
            "results/figures/supplementary_figure_1.svg",
            caption="report/figure.rst",
            category="Supplement",
            labels={"figure": "1", "form": "SVG"},
        ),
        png="results/figures/supplementary_figure_1.png",
        text="results/figures/supplementary_figure_1.txt",
    log:
        "results/logs/supplementary_figure_1.log",
    benchmark:
        "results/benchmarks/supplementary_figure_1.tsv"
    conda:
        "../envs/dlre.yaml"
    threads: 1
    resources:
        mem_mb=growing(1000),
        runtime=10,
    params:
        what="How training ends",
        arms=ARMS_IN_ORDER,
        minimum_epochs=config["training"]["minimum_epochs"],
        patience=config["training"]["patience_epochs"],
        fraction=config["training"]["stopping_fraction"],
        simulated=SIMULATED,
    script:
        "../scripts/figures/supplementary_figure_1.py"


rule subgroup_figure:
    """Supplementary figures 2 to 4: ROC curves by subgroup, of all enrolled or validation patients."""
    input:
        scores=f"results/scores/{MAIN_ARM}.csv",
    output:
        svg=report(
            "results/figures/supplementary_figure_{number}_{population}.svg",
            caption="report/figure.rst",
            category="Supplement",
            labels={"figure": "{number} {population}", "form": "SVG"},
        ),
        png="results/figures/supplementary_figure_{number}_{population}.png",
        text="results/figures/supplementary_figure_{number}_{population}.txt",
    log:
        "results/logs/subgroup_figure_{number}_{population}.log",
    benchmark:
        "results/benchmarks/subgroup_figure_{number}_{population}.tsv"
    conda:
        "../envs/dlre.yaml"
    threads: 1
    resources:
        mem_mb=growing(1000),
        runtime=10,
    params:
        what="ROC curves by subgroup",
        number=lambda wildcards: int(wildcards.number),
        alt_limits_iu_l=config["statistics"]["alt_limits_iu_l"],
        bmi_limit_kg_m2=config["statistics"]["bmi_limit_kg_m2"],
        settings=ACCURACY_SETTINGS,
        simulated=SIMULATED,
    script:
        "../scripts/figures/subgroup_figure.py"
