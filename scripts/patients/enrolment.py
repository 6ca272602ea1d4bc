"""Who is enrolled, who is not and why; counts by criterion and hospital."""

from dlre_core.foundation.csv_tables import read_table, write_table
from dlre_core.foundation.job_log import job_log
from dlre_core.foundation.study_terms import KEYS
from dlre_core.patients.enrolment import EnrolmentSettings, enrol_pictured, flow

with job_log(snakemake.log[0]):
    acquisitions = read_table(snakemake.input.acquisitions, needs=(*KEYS, "image_id"))
    settings = EnrolmentSettings(**snakemake.params.criteria)
    enrolment = enrol_pictured(read_table(snakemake.input.patients), acquisitions, settings)
    write_table(enrolment, snakemake.output.enrolment)
    write_table(flow(enrolment, settings), snakemake.output.flow)
