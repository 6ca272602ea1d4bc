"""The pictures of one hospital that its folder lacked, from the PACS; counts, and what did not come."""

from dlre_core.dicom.reader import ReadLimits
from dlre_core.foundation.job_log import job_log
from dlre_core.pacs.dicomweb import PacsSettings
from dlre_core.pacs.pull import pull_hospital

with job_log(snakemake.log[0]):
    params = snakemake.params
    pull_hospital(
        params.folder,
        params.hospital,
        settings=PacsSettings(**params.dicomweb),
        limits=ReadLimits(**params.limits),
        counts_csv=snakemake.output.counts,
        failures_csv=snakemake.output.failures,
    )
