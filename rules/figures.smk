"""Figures 1 to 5, the supplementary figures, and figures made of pictures."""


rule figure_1:
    """Figure 1: a picture from the screen to the network, with the network's flow chart."""
    input:
        images="results/store/images.h5",
        acquisitions="results/store/acquisitions.csv",
        rois="results/roi/rois.csv",
        split=f"results/splits/{PLAN.main_split}.csv",
    output:
        **drawn_figure("results/figures/figure_1", "Figures", "A picture from the screen to the network"),
    log:
        "results/logs/figure_1.log",
    benchmark:
        "results/benchmarks/figure_1.tsv"
    conda:
        "../envs/dlre.yaml"
    params:
        kind=PLAN.kinds[PLAN.main_arm],
        simulated=SIMULATED,
    script:
        "../scripts/figures/figure_1.py"


rule figure_2:
    """Figure 2: enrolment flow chart, with counts by criterion and hospital."""
    input:
        problems="results/clinical/problems.csv",
        enrolment="results/enrolment/enrolment.csv",
        flow="results/enrolment/flow.csv",
        split=f"results/splits/{PLAN.main_split}.csv",
    output:
        **drawn_figure("results/figures/figure_2", "Figures", "Enrolment flow chart"),
    log:
        "results/logs/figure_2.log",
    benchmark:
        "results/benchmarks/figure_2.tsv"
    conda:
        "../envs/dlre.yaml"
    params:
        simulated=SIMULATED,
    script:
        "../scripts/figures/figure_2.py"


rule figure_3:
    """Figure 3: ROC curves of DLRE, 2D-SWE and biomarkers, six panels."""
    input:
        scores=f"results/scores/{PLAN.main_arm}.csv",
        table="results/tables/table_2.csv",
    output:
        **drawn_figure("results/figures/figure_3", "Figures", "ROC curves of DLRE, 2D-SWE, APRI and FIB-4"),
    log:
        "results/logs/figure_3.log",
    benchmark:
        "results/benchmarks/figure_3.tsv"
    conda:
        "../envs/dlre.yaml"
    params:
        settings=ACCURACY_SETTINGS,
        simulated=SIMULATED,
    script:
        "../scripts/figures/figure_3.py"


rule figure_4:
    """Figure 4: ROC curves by number of pictures, six panels."""
    input:
        scores=[f"results/scores/{arm}.csv" for arm in PLAN.image_arms.values()],
        table="results/tables/table_3.csv",
    output:
        **drawn_figure("results/figures/figure_4", "Figures", "ROC curves by number of pictures"),
    log:
        "results/logs/figure_4.log",
    benchmark:
        "results/benchmarks/figure_4.tsv"
    conda:
        "../envs/dlre.yaml"
    params:
        images=list(PLAN.image_arms),
        settings=ACCURACY_SETTINGS,
        simulated=SIMULATED,
    script:
        "../scripts/figures/figure_4.py"


rule figure_5:
    """Figure 5: ROC curves by combination of training hospitals, six panels."""
    input:
        scores=[f"results/scores/{arm}.csv" for arm in PLAN.training_hospitals],
        table="results/tables/table_4.csv",
    output:
        **drawn_figure("results/figures/figure_5", "Figures", "ROC curves by combination of training hospitals"),
    log:
        "results/logs/figure_5.log",
    benchmark:
        "results/benchmarks/figure_5.tsv"
    conda:
        "../envs/dlre.yaml"
    params:
        hospitals=PLAN.training_hospitals,
        settings=ACCURACY_SETTINGS,
        simulated=SIMULATED,
    script:
        "../scripts/figures/figure_5.py"


rule headline_figure:
    """AUCs of all methods in the validation cohort at a glance."""
    input:
        table="results/tables/table_2.csv",
    output:
        **drawn_figure("results/figures/headline", "Figures", "AUC of every method, validation cohort"),
    log:
        "results/logs/headline_figure.log",
    benchmark:
        "results/benchmarks/headline_figure.tsv"
    conda:
        "../envs/dlre.yaml"
    params:
        simulated=SIMULATED,
    script:
        "../scripts/figures/headline_figure.py"


rule heat_maps:
    """What spoke for right and wrong answers: the most decided case of every kind."""
    input:
        table="results/tables/table_2.csv",
        predictions=f"results/predictions/{PLAN.main_arm}.csv",
        rois="results/roi/rois.csv",
        pictures="results/roi/rois.h5",
        weights=expand(f"results/models/{PLAN.main_arm}/{{stage}}.safetensors", stage=QUESTIONS),
    output:
        jpg=shown("results/figures/heat_maps.jpg", "Figures", "Heat maps of right and wrong cases"),
        text="results/figures/heat_maps.txt",
    log:
        "results/logs/heat_maps.log",
    benchmark:
        "results/benchmarks/heat_maps.tsv"
    conda:
        "../envs/dlre.yaml"
    params:
        stages=QUESTIONS,
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
        hospitals=shown("results/figures/contact_sheet.jpg", "Quality", "Contact sheets"),
        hospitals_text="results/figures/contact_sheet.txt",
        least="results/figures/contact_sheet_least_signal.jpg",
        least_text="results/figures/contact_sheet_least_signal.txt",
    log:
        "results/logs/contact_sheets.log",
    benchmark:
        "results/benchmarks/contact_sheets.tsv"
    conda:
        "../envs/dlre.yaml"
    params:
        simulated=SIMULATED,
    script:
        "../scripts/figures/contact_sheets.py"


rule supplementary_figure_1:
    """Supplementary figure 1: how training ends."""
    input:
        histories=expand("results/models/{arm}/history.csv", arm=PLAN.arms),
    output:
        **drawn_figure("results/figures/supplementary_figure_1", "Supplement", "How training ends"),
    log:
        "results/logs/supplementary_figure_1.log",
    benchmark:
        "results/benchmarks/supplementary_figure_1.tsv"
    conda:
        "../envs/dlre.yaml"
    params:
        arms=PLAN.arms,
        settings=config["training"],
        simulated=SIMULATED,
    script:
        "../scripts/figures/supplementary_figure_1.py"


rule subgroup_figure:
    """Supplementary figures 2 to 4: ROC curves by subgroup, of all enrolled or validation patients."""
    input:
        scores=f"results/scores/{PLAN.main_arm}.csv",
    output:
        **drawn_figure("results/figures/supplementary_figure_{number}_{population}", "Supplement", "ROC by subgroup"),
    log:
        "results/logs/subgroup_figure_{number}_{population}.log",
    benchmark:
        "results/benchmarks/subgroup_figure_{number}_{population}.tsv"
    conda:
        "../envs/dlre.yaml"
    params:
        **SUBGROUP_LIMITS,
        number="{number}",
        population="{population}",
        settings=ACCURACY_SETTINGS,
        simulated=SIMULATED,
    script:
        "../scripts/figures/subgroup_figure.py"
