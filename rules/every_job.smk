"""One file of every job that the tables rest on: a failed job's files are missed only if somebody asks for them."""

BEFORE_TRAINING = [
    *(f"results/clinical/{name}.csv" for name in ("patients", "other_problems")),
    *(f"results/{name}.csv" for name in ("store/acquisitions", "store/reliability", "roi/rois", "enrolment/enrolment")),
    *expand(["results/store/{hospital}_acquisitions.csv", "results/roi/{hospital}_rois.csv"], hospital=HOSPITALS),
    *expand("results/splits/{split}{kind}.csv", split=PLAN.splits, kind=["", "_leak_check"]),
    *RADIOMICS_FEATURES,
]
OF_A_VARIANT = ["split", "leak_check", "history", "predictions", "scores"]
FROM_TRAINING = [
    *expand("results/models/{arm}/history.csv", arm=ARMS),
    *expand("results/serving/{name}.json", name=["model_repository/dlre/1/manifest", "frozen_study"]),
    *expand("results/{folder}/{arm}.csv", folder=["predictions", "scores"], arm=ARMS),
    *expand("results/robustness/{variant}/{name}.csv", variant=PLAN.reported_variants, name=OF_A_VARIANT),
    *expand("results/tables/{name}.csv", name=[*TABLES, "decision_curves"]),
    *expand("results/figures/{name}.txt", name=FIGURES + PICTURES),
    *(REPORT_TARGETS + AUDIT_TARGETS),
]
WITHOUT_TRAINING = ["store/rejects.csv", "clinical/problems.csv", "tables/table_1.csv", "figures/figure_2.txt"]
WITHOUT_NETWORKS = [f"results/{name}" for name in WITHOUT_TRAINING]
if PACS:
    pulled = ["counts", "failures", *expand("{hospital}_counts", hospital=HOSPITALS)]
    BEFORE_TRAINING += expand("results/pacs/{name}.csv", name=pulled)
if SIMULATED:
    BEFORE_TRAINING += expand("results/simulated_cohort/{name}.csv", name=["clinical", *OPTIONAL_TABLES])
    BEFORE_TRAINING += expand("results/simulated_cohort/measurements/{hospital}.csv", hospital=HOSPITALS)
