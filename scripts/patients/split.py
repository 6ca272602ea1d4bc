"""The enrolled patients, each in the training, the validation or the external cohort."""

from dlre_core.foundation.csv_tables import read_table, write_table
from dlre_core.foundation.job_log import job_log
from dlre_core.foundation.study_terms import KEYS
from dlre_core.patients.clinical_table import pseudonymise, read_clinical
from dlre_core.patients.enrolment import EnrolmentSettings, enrolled_patients
from dlre_core.patients.pseudonyms import Pseudonymiser, study_key
from dlre_core.patients.splits import dividing_columns, make_split
from dlre_core.user_tables.units import given_units

with job_log(snakemake.log[0]):
    params = snakemake.params
    key = study_key(params.key_file, params.cohort_seed if params.simulated else None)
    table = read_clinical(snakemake.input.clinical, params.hospitals, units=given_units(params.units))
    split = make_split(
        enrolled_patients(
            pseudonymise(table.patients, Pseudonymiser(key, params.date_shift_days)),
            read_table(snakemake.input.acquisitions, needs=KEYS),
            EnrolmentSettings(**params.criteria),
            dividing_columns(params.division),
        ),
        params.division,
        seed=params.division.get("seed", params.seed),
        permute_labels=params.permute_labels,
    )
    write_table(split, snakemake.output.split)
