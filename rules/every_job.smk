"""One file of every job that the tables rest on, for `rule all` to ask for.

A failed job's files are deleted, and Snakemake takes what was made from them before for up to date unless asked.
"""

EVERY_JOB = [
    *(f"results/clinical/{name}.csv" for name in ("patients", "other_problems")),
    *(f"results/{name}.csv" for name in ("store/acquisitions", "roi/rois", "enrolment/enrolment")),
    *expand("results/store/{hospital}_acquisitions.csv", hospital=HOSPITALS),
    *expand("results/roi/{hospital}_rois.csv", hospital=HOSPITALS),
    *expand("results/splits/{split}{kind}.csv", split=SPLITS, kind=["", "_leak_check"]),
    *expand("results/models/{arm}/history.csv", arm=ARMS),
    "results/serving/model_repository/dlre/1/manifest.json",
    "results/serving/frozen_study.json",
    *expand("results/{folder}/{arm}.csv", folder=["predictions", "scores"], arm=ARMS),
    *expand(
        "results/robustness/{variant}/{name}.csv",
        variant=REPORTED_VARIANTS,
        name=["split", "leak_check", "history", "predictions", "scores"],
    ),
    *RADIOMICS_FEATURES,
]
if PACS:
    pulled = ["counts", "failures", *expand("{hospital}_counts", hospital=HOSPITALS)]
    EVERY_JOB += expand("results/pacs/{name}.csv", name=pulled)
if SIMULATED:
    EVERY_JOB += expand("results/simulated_cohort/{name}.csv", name=["clinical", "measurements"])
    EVERY_JOB += expand("results/simulated_cohort/measurements/{hospital}.csv", hospital=HOSPITALS)
