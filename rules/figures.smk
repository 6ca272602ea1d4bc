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
        core=core("figures.case", "figures.captions"),
    script:
        "../scripts/figure_1.py"


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
        core=core("clinical", "figures.enrolment", "figures.captions"),
    script:
        "../scripts/figure_2.py"


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
        core=core("figures.roc", "figures.captions"),
    script:
        "../scripts/figure_3.py"


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
        core=core("figures.roc", "figures.captions"),
    script:
        "../scripts/figure_4.py"


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
        core=core("figures.roc", "figures.captions"),
    script:
        "../scripts/figure_5.py"
