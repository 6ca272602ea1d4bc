"""The archive of a finished study's networks, with a model card."""

import pandas as pd

from dlre_core.foundation.csv_tables import read_table
from dlre_core.foundation.job_log import job_log
from dlre_core.foundation.study_terms import MODEL_REPOSITORY
from dlre_core.publication.archive import write_archive
from dlre_core.publication.model_card import documents, publication_facts
from dlre_core.serving.frozen_study import read_frozen_study
from dlre_core.serving.repository import served_kind
from dlre_core.tables.stored_tables import read_accuracy_table

with job_log(snakemake.log[0]):
    given, params = snakemake.input, snakemake.params
    study = read_frozen_study(params.serving)
    texts = documents(
        study,
        read_accuracy_table(given.table_2),
        pd.concat([read_table(path) for path in given.subgroups]),
        publication_facts(params.publication),
        params.confidence,
        served_kind(f"{params.serving}/{MODEL_REPOSITORY}", study.arm),
    )
    write_archive(
        snakemake.output.archive,
        params.serving,
        weights=dict(zip(params.stages, given.weights, strict=True)),
        examples=given.examples,
        documents=texts,
    )
