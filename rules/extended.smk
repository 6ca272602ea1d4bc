"""Tables and figures beyond the paper's."""


rule counts:
    """Extended table 1: counts, cut-offs and tests behind Tables 2, 3 and 4."""
    input:
        tables=[f"results/tables/table_{number}.csv" for number in PLAN.accuracy_tables],
    output:
        **printed_table("results/tables/counts", "Extended", "Counts, cut-offs and tests"),
    log:
        "results/logs/counts.log",
    benchmark:
        "results/benchmarks/counts.tsv"
    conda:
        "../envs/dlre.yaml"
    params:
        numbers=PLAN.accuracy_tables,
        simulated=SIMULATED,
        confidence=config["statistics"]["confidence"],
    script:
        "../scripts/extended/counts.py"


rule calibration:
    """Extended table 2: calibration of probabilities."""
    input:
        scores=f"results/scores/{PLAN.main_arm}.csv",
    output:
        **printed_table("results/tables/calibration", "Extended", "Calibration of probabilities"),
    log:
        "results/logs/calibration.log",
    benchmark:
        "results/benchmarks/calibration.tsv"
    conda:
        "../envs/dlre.yaml"
    params:
        confidence=config["statistics"]["confidence"],
        simulated=SIMULATED,
    script:
        "../scripts/extended/calibration.py"


rule predictive_values:
    """Extended table 3: predictive values at other prevalences."""
    input:
        table="results/tables/table_2.csv",
    output:
        **printed_table("results/tables/predictive_values", "Extended", "Predictive values at other prevalences"),
    log:
        "results/logs/predictive_values.log",
    benchmark:
        "results/benchmarks/predictive_values.tsv"
    conda:
        "../envs/dlre.yaml"
    params:
        prevalences=config["statistics"]["prevalences"],
        confidence=config["statistics"]["confidence"],
        simulated=SIMULATED,
    script:
        "../scripts/extended/predictive_values.py"


rule hospitals:
    """Extended table 4: AUC by hospital."""
    input:
        scores=f"results/scores/{PLAN.main_arm}.csv",
    output:
        **printed_table("results/tables/hospitals", "Extended", "AUC by hospital"),
    log:
        "results/logs/hospitals.log",
    benchmark:
        "results/benchmarks/hospitals.tsv"
    conda:
        "../envs/dlre.yaml"
    params:
        settings=ACCURACY_SETTINGS,
        simulated=SIMULATED,
    script:
        "../scripts/extended/hospitals.py"


rule stages:
    """Extended table 5: biopsy against implied stage, and contradicting probabilities."""
    input:
        scores=f"results/scores/{PLAN.main_arm}.csv",
        table="results/tables/table_2.csv",
        predictions=f"results/predictions/{PLAN.main_arm}.csv",
    output:
        **printed_table("results/tables/stages", "Extended", "Biopsy against implied stage"),
        measures="results/tables/stages_measures.csv",
    log:
        "results/logs/stages.log",
    benchmark:
        "results/benchmarks/stages.tsv"
    conda:
        "../envs/dlre.yaml"
    params:
        **BOOTSTRAP,
        simulated=SIMULATED,
    script:
        "../scripts/extended/stages.py"


rule events:
    """Extended table 6: patients, images and events of every arm."""
    input:
        scores=expand("results/scores/{arm}.csv", arm=PLAN.arms),
    output:
        **printed_table("results/tables/events", "Extended", "Patients, images and events"),
    log:
        "results/logs/events.log",
    benchmark:
        "results/benchmarks/events.tsv"
    conda:
        "../envs/dlre.yaml"
    params:
        arms=PLAN.arms,
        simulated=SIMULATED,
    script:
        "../scripts/extended/events.py"


rule differences:
    """Extended table 7: differences of AUC by DeLong and by bootstrap; the primary hypothesis, alone."""
    input:
        scores=f"results/scores/{PLAN.main_arm}.csv",
        primary_scores=f"results/scores/{PLAN.primary_arm}.csv",
        table="results/tables/table_2.csv",
    output:
        **printed_table("results/tables/differences", "Extended", "Differences of AUC"),
        primary="results/tables/primary_hypothesis.csv",
    log:
        "results/logs/differences.log",
    benchmark:
        "results/benchmarks/differences.tsv"
    conda:
        "../envs/dlre.yaml"
    params:
        settings=ACCURACY_SETTINGS,
        hypothesis=config.get("primary_hypothesis"),
        skipped=SKIPPED_ARMS,
        simulated=SIMULATED,
    script:
        "../scripts/extended/differences.py"


rule dual_cutoffs:
    """Extended table 11: stages ruled out and in by two cut-offs, biopsies avoided and stages missed."""
    input:
        scores=f"results/scores/{PLAN.main_arm}.csv",
        folds=PLAN.fold_scores(PLAN.main_arm),
    output:
        **printed_table("results/tables/dual_cutoffs", "Extended", "Two cut-offs, biopsies avoided, stages missed"),
    log:
        "results/logs/dual_cutoffs.log",
    benchmark:
        "results/benchmarks/dual_cutoffs.tsv"
    conda:
        "../envs/dlre.yaml"
    params:
        **BOOTSTRAP,
        interval=STATISTICS["proportion_interval"],
        decisions=config["decisions"],
        simulated=SIMULATED,
    script:
        "../scripts/extended/dual_cutoffs.py"


rule paired_accuracy:
    """Extended table 12: sensitivity, specificity and predictive values of two methods in the same patients."""
    input:
        scores=f"results/scores/{PLAN.main_arm}.csv",
        table="results/tables/table_2.csv",
    output:
        **printed_table("results/tables/paired_accuracy", "Extended", "Paired tests at the cut-offs"),
    log:
        "results/logs/paired_accuracy.log",
    benchmark:
        "results/benchmarks/paired_accuracy.tsv"
    conda:
        "../envs/dlre.yaml"
    params:
        confidence=STATISTICS["confidence"],
        simulated=SIMULATED,
    script:
        "../scripts/extended/paired_accuracy.py"


rule recalibration:
    """Extended table 13: the network's probabilities, as they are and recalibrated."""
    input:
        scores=f"results/scores/{PLAN.main_arm}.csv",
        folds=PLAN.fold_scores(PLAN.main_arm),
    output:
        **printed_table("results/tables/recalibration", "Extended", "Recalibration of probabilities"),
        fits="results/tables/recalibration_fits.json",
    log:
        "results/logs/recalibration.log",
    benchmark:
        "results/benchmarks/recalibration.tsv"
    conda:
        "../envs/dlre.yaml"
    params:
        **BOOTSTRAP,
        balanced=config["training"]["balance"] != "none",
        simulated=SIMULATED,
    script:
        "../scripts/extended/recalibration.py"


rule checklist:
    """Reporting checklists: STARD 2015, TRIPOD+AI, STARD-AI, CLAIM and QUADAS-2."""
    output:
        **printed_table("results/tables/checklist", "Extended", "Reporting checklist"),
    log:
        "results/logs/checklist.log",
    benchmark:
        "results/benchmarks/checklist.tsv"
    conda:
        "../envs/dlre.yaml"
    params:
        tables=lambda wildcards: TABLES,
        figures=lambda wildcards: FIGURES + PICTURES,
        primary=bool(config.get("primary_hypothesis")),
    script:
        "../scripts/extended/checklist.py"


rule agreement:
    """Extended table 8: on which pictures and squares two readers agree, and each with themselves."""
    input:
        acquisitions=expand("results/store/{hospital}_acquisitions.csv", hospital=HOSPITALS),
    output:
        **printed_table("results/tables/agreement", "Extended", "Agreement of readers"),
    log:
        "results/logs/agreement.log",
    benchmark:
        "results/benchmarks/agreement.tsv"
    conda:
        "../envs/dlre.yaml"
    params:
        cohort=COHORT,
        answers=lambda wildcards: answers_digest(COHORT),
        confidence=config["statistics"]["confidence"],
        simulated=SIMULATED,
    script:
        "../scripts/extended/agreement.py"


rule reader_squares:
    """Extended table 9: stiffness and DLRE's probability in the squares of two readers."""
    input:
        images="results/store/images.h5",
        acquisitions="results/store/acquisitions.csv",
        weights=weights(f"results/models/{PLAN.main_arm}").values(),
    output:
        **printed_table("results/tables/reader_squares", "Extended", "Measurements in two readers' squares"),
        values="results/tables/reader_squares_values.csv",
    log:
        "results/logs/reader_squares.log",
    benchmark:
        "results/benchmarks/reader_squares.tsv"
    conda:
        "../envs/dlre.yaml"
    resources:
        mem_mb=growing(3000),
        runtime=60,
    params:
        cohort=COHORT,
        kind=PLAN.kinds[PLAN.main_arm],
        answers=lambda wildcards: answers_digest(COHORT),
        confidence=config["statistics"]["confidence"],
        simulated=SIMULATED,
    script:
        "../scripts/extended/reader_squares.py"


rule every_picture:
    """Extended table 10: Table 2's AUCs if no reader had excluded a picture."""
    input:
        acquisitions=expand("results/store/{hospital}_acquisitions.csv", hospital=HOSPITALS),
        rois=expand("results/roi/{hospital}.h5", hospital=HOSPITALS),
        tables=expand("results/roi/{hospital}_rois.csv", hospital=HOSPITALS),
        patients="results/clinical/patients.csv",
        split=f"results/splits/{PLAN.main_split}.csv",
        scores=f"results/scores/{PLAN.main_arm}.csv",
        weights=weights(f"results/models/{PLAN.main_arm}").values(),
    output:
        **printed_table("results/tables/every_picture", "Extended", "AUC if every picture is kept"),
    log:
        "results/logs/every_picture.log",
    benchmark:
        "results/benchmarks/every_picture.tsv"
    conda:
        "../envs/dlre.yaml"
    resources:
        mem_mb=growing(3000),
        runtime=60,
    params:
        hospitals=HOSPITALS,
        images=config["arms"][PLAN.main_arm]["images"],
        kind=PLAN.kinds[PLAN.main_arm],
        criteria=config["enrolment"],
        aggregate=config["statistics"]["aggregate"],
        upper_limits=UPPER_LIMITS,
        settings=ACCURACY_SETTINGS,
        simulated=SIMULATED,
    script:
        "../scripts/extended/every_picture.py"


rule repeatability:
    """Extended table 14: repeatability between pictures, and reliability and AUC by their number."""
    input:
        predictions=f"results/predictions/{PLAN.main_arm}.csv",
        acquisitions="results/store/acquisitions.csv",
    output:
        **printed_table("results/tables/repeatability", "Extended", "Repeatability between pictures"),
        curve="results/tables/repeatability_curve.csv",
        aucs="results/tables/repeatability_auc.csv",
    log:
        "results/logs/repeatability.log",
    benchmark:
        "results/benchmarks/repeatability.tsv"
    conda:
        "../envs/dlre.yaml"
    params:
        aggregate=config["statistics"]["aggregate"],
        confidence=config["statistics"]["confidence"],
        simulated=SIMULATED,
    script:
        "../scripts/extended/repeatability.py"


rule fairness:
    """Extended table 15: accuracy and calibration by group of patients, and gaps between groups."""
    input:
        scores=f"results/scores/{PLAN.main_arm}.csv",
        table="results/tables/table_2.csv",
        patients="results/clinical/patients.csv",
        acquisitions="results/store/acquisitions.csv",
    output:
        **printed_table("results/tables/fairness", "Extended", "Accuracy by group of patients"),
    log:
        "results/logs/fairness.log",
    benchmark:
        "results/benchmarks/fairness.tsv"
    conda:
        "../envs/dlre.yaml"
    params:
        groupings=config["subanalyses"],
        settings=ACCURACY_SETTINGS,
        simulated=SIMULATED,
    script:
        "../scripts/extended/fairness.py"


rule intention_to_diagnose:
    """Extended table 16: sensitivity and specificity if failed elastography counts."""
    input:
        enrolment="results/enrolment/enrolment.csv",
        patients="results/clinical/patients.csv",
        table="results/tables/table_2.csv",
    output:
        **printed_table("results/tables/intention_to_diagnose", "Extended", "Intention to diagnose"),
    log:
        "results/logs/intention_to_diagnose.log",
    benchmark:
        "results/benchmarks/intention_to_diagnose.tsv"
    conda:
        "../envs/dlre.yaml"
    params:
        settings=ACCURACY_SETTINGS,
        simulated=SIMULATED,
    script:
        "../scripts/extended/intention_to_diagnose.py"


rule failure_rates:
    """Extended table 17: how often elastography fails, by body-mass index, hospital and stage."""
    input:
        enrolment="results/enrolment/enrolment.csv",
        patients="results/clinical/patients.csv",
    output:
        **printed_table("results/tables/failure_rates", "Extended", "Failure of elastography"),
    log:
        "results/logs/failure_rates.log",
    benchmark:
        "results/benchmarks/failure_rates.tsv"
    conda:
        "../envs/dlre.yaml"
    params:
        bmi_limit_kg_m2=config["statistics"]["bmi_limit_kg_m2"],
        confidence=config["statistics"]["confidence"],
        interval=config["statistics"]["proportion_interval"],
        simulated=SIMULATED,
    script:
        "../scripts/extended/failure_rates.py"


rule biases:
    """Extended table 18: AUC with all stages as frequent, and if the biopsy errs."""
    input:
        scores=f"results/scores/{PLAN.main_arm}.csv",
    output:
        **printed_table("results/tables/biases", "Extended", "Spectrum of stages, errors of the biopsy"),
    log:
        "results/logs/biases.log",
    benchmark:
        "results/benchmarks/biases.tsv"
    conda:
        "../envs/dlre.yaml"
    params:
        confidence=config["statistics"]["confidence"],
        interval=config["statistics"]["auc_interval"],
        simulated=SIMULATED,
    script:
        "../scripts/extended/biases.py"


rule optimism:
    """Extended table 20: AUC of fitted models, corrected for optimism."""
    input:
        scores=f"results/scores/{PLAN.main_arm}.csv",
        folds=PLAN.fold_scores(PLAN.main_arm),
    output:
        **printed_table("results/tables/optimism", "Extended", "AUC corrected for optimism"),
    log:
        "results/logs/optimism.log",
    benchmark:
        "results/benchmarks/optimism.tsv"
    conda:
        "../envs/dlre.yaml"
    params:
        **BOOTSTRAP,
        simulated=SIMULATED,
    script:
        "../scripts/extended/optimism.py"


rule decision_curves:
    """Net benefit of every method by threshold probability."""
    input:
        scores=f"results/scores/{PLAN.main_arm}.csv",
    output:
        csv="results/tables/decision_curves.csv",
    log:
        "results/logs/decision_curves.log",
    benchmark:
        "results/benchmarks/decision_curves.tsv"
    conda:
        "../envs/dlre.yaml"
    params:
        **BOOTSTRAP,
    script:
        "../scripts/extended/decision_curves.py"


rule calibration_figure:
    """Extended figure 1: calibration curves."""
    input:
        scores=f"results/scores/{PLAN.main_arm}.csv",
        table="results/tables/calibration.csv",
    output:
        **drawn_figure("results/figures/calibration", "Extended", "Calibration"),
    log:
        "results/logs/calibration_figure.log",
    benchmark:
        "results/benchmarks/calibration_figure.tsv"
    conda:
        "../envs/dlre.yaml"
    params:
        confidence=config["statistics"]["confidence"],
        simulated=SIMULATED,
    script:
        "../scripts/extended/calibration_figure.py"


rule decision_figure:
    """Extended figure 2: decision curves."""
    input:
        table="results/tables/decision_curves.csv",
    output:
        **drawn_figure("results/figures/decision_curves", "Extended", "Decision curves"),
    log:
        "results/logs/decision_figure.log",
    benchmark:
        "results/benchmarks/decision_figure.tsv"
    conda:
        "../envs/dlre.yaml"
    params:
        confidence=config["statistics"]["confidence"],
        simulated=SIMULATED,
    script:
        "../scripts/extended/decision_figure.py"


rule forest_figure:
    """Extended figure 3: AUC by hospital."""
    input:
        table="results/tables/hospitals.csv",
    output:
        **drawn_figure("results/figures/hospitals", "Extended", "AUC by hospital"),
    log:
        "results/logs/forest_figure.log",
    benchmark:
        "results/benchmarks/forest_figure.tsv"
    conda:
        "../envs/dlre.yaml"
    params:
        confidence=config["statistics"]["confidence"],
        simulated=SIMULATED,
    script:
        "../scripts/extended/forest_figure.py"


rule roc_band_figure:
    """Extended figure 4: ROC curves with simultaneous bands."""
    input:
        scores=f"results/scores/{PLAN.main_arm}.csv",
    output:
        **drawn_figure("results/figures/roc_bands", "Extended", "ROC curves with bands"),
    log:
        "results/logs/roc_band_figure.log",
    benchmark:
        "results/benchmarks/roc_band_figure.tsv"
    conda:
        "../envs/dlre.yaml"
    params:
        confidence=config["statistics"]["confidence"],
        simulated=SIMULATED,
    script:
        "../scripts/extended/roc_band_figure.py"


rule agreement_figure:
    """Extended figure 5: agreement of two readers on pictures, stiffness and probability."""
    input:
        table="results/tables/agreement.csv",
        values="results/tables/reader_squares_values.csv",
        measures="results/tables/reader_squares.csv",
    output:
        **drawn_figure("results/figures/reader_agreement", "Extended", "Agreement of readers"),
    log:
        "results/logs/agreement_figure.log",
    benchmark:
        "results/benchmarks/agreement_figure.tsv"
    conda:
        "../envs/dlre.yaml"
    params:
        confidence=config["statistics"]["confidence"],
        simulated=SIMULATED,
    script:
        "../scripts/extended/agreement_figure.py"


rule repeatability_figure:
    """Extended figure 6: how many pictures are enough."""
    input:
        curve="results/tables/repeatability_curve.csv",
        aucs="results/tables/repeatability_auc.csv",
    output:
        **drawn_figure("results/figures/repeatability", "Extended", "How many pictures are enough"),
    log:
        "results/logs/repeatability_figure.log",
    benchmark:
        "results/benchmarks/repeatability_figure.tsv"
    conda:
        "../envs/dlre.yaml"
    params:
        confidence=config["statistics"]["confidence"],
        simulated=SIMULATED,
    script:
        "../scripts/extended/repeatability_figure.py"


rule networks:
    """Extended table 19: arms that differ in network or input only."""
    input:
        scores=[f"results/scores/{arm}.csv" for arm in PLAN.compared_arms],
    output:
        **printed_table("results/tables/networks", "Extended", "Other networks and inputs"),
    log:
        "results/logs/networks.log",
    benchmark:
        "results/benchmarks/networks.tsv"
    conda:
        "../envs/dlre.yaml"
    params:
        kinds={arm: PLAN.kinds[arm] for arm in PLAN.compared_arms},
        settings=ACCURACY_SETTINGS,
        simulated=SIMULATED,
    script:
        "../scripts/extended/networks.py"
