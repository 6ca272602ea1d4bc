"""Extended table 9: stiffness and DLRE's probability in the squares of two readers."""

from dlre_core.foundation.csv_tables import write_table
from dlre_core.foundation.design import study_questions
from dlre_core.foundation.job_log import job_log
from dlre_core.network.kinds import NetworkKind, load_networks
from dlre_core.reader_agreement.reader_squares import printed_reader_squares, reader_squares_table, square_values
from dlre_core.tables.typeset import write_all

with job_log(snakemake.log[0]):
    given, made, params = snakemake.input, snakemake.output, snakemake.params
    networks = load_networks(dict(zip(study_questions(), given.weights, strict=True)))
    values = square_values(params.cohort, given.images, given.acquisitions, networks, NetworkKind(**params.kind))
    write_table(values, made.values)
    table = reader_squares_table(values, confidence=params.confidence)
    printed = printed_reader_squares(table, params.confidence, params.simulated)
    write_all(table, printed, made.csv, made.html, made.tex)
