"""Audit a file of published tables of diagnostic accuracy."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from dlre_core.audit.baseline import BaselineAudit, audit_baseline
from dlre_core.audit.between import duplicate_findings, star_findings, statement_findings
from dlre_core.audit.limits import expected_intervals, interval_findings, interval_methods
from dlre_core.audit.prevalence import agreed_cases, prevalence_findings
from dlre_core.audit.report import PLACE, SEVERITIES, AuditedRow, AuditReport, Finding
from dlre_core.audit.rows import PrintedRow, read_rows, reading_findings
from dlre_core.audit.sizes import wrong_sizes
from dlre_core.audit.within import Explanation, audited_row, count_findings, explain_row

PAPER_TABLES = Path(__file__).parent / "data" / "paper_tables.json"


def paper_tables() -> dict[str, object]:
    """Tables 1 to 4 of the published study, as printed, and what its text and captions say of their cells.

    References
    ----------
    Wang K, Lu X, Zhou H, et al. Gut 2019;68:729-741. doi:10.1136/gutjnl-2018-316204
    """
    return dict(json.loads(PAPER_TABLES.read_text("utf-8")))


def audit_published_tables(tables: Mapping[str, object], *, confidence: float = 0.95) -> AuditReport:
    """Audit published tables: what reproduces, by which method, and what cannot be right.

    Parameters
    ----------
    tables : mapping
        From table name to rows, every number a text exactly as printed. Rows of diagnostic
        accuracy: ``stage``, ``method``, ``arm``, ``cohort``, ``n``, ``prevalence_pct``, ``auc``,
        ``sens``, ``spec``, ``ppv``, ``npv`` (per cent), ``lr_pos``, ``lr_neg``, each with its limits
        under ``<name>_ci``, and ``stars``; None where nothing is printed. Rows of baseline
        characteristics: see `audit_baseline`. ``text`` may list what the text says: see `statement_findings`.
        ``_meta`` may name the ``source``.
    confidence : float
        Level of the printed intervals.

    Returns
    -------
    AuditReport
        ``.rows``, ``.findings`` (errors first), ``.to_json()``, ``.to_text()``.

    Raises
    ------
    TypeError
        If ``tables`` is no mapping.

    Notes
    -----
    Nothing about a particular paper is known here; see ``docs/design/audit.md`` for every check.
    """
    if not isinstance(tables, Mapping):
        raise TypeError("tables: a mapping from table name to rows is needed")
    baseline = _baseline(tables)
    rows = read_rows(tables)
    agreed = agreed_cases(rows, baseline.cases)
    findings = [*baseline.findings, *reading_findings(rows)]
    findings += prevalence_findings(rows, agreed, baseline.cases)
    largest = max([row.n or 0 for row in rows] + [size for _, _, size in baseline.cases], default=0)
    explained = {
        index: explain_row(row, agreed[row.group], _sizes(rows, row), largest) for index, row in enumerate(rows)
    }
    wrong = wrong_sizes(rows, explained, _totals(baseline), largest)
    findings += [size.finding() for size in dict.fromkeys(wrong.values())]
    audited = []
    for index, row in enumerate(rows):
        resized = wrong[index].explanation(row) if index in wrong else None
        record, found = _audit_row(row, resized or explained[index], confidence)
        audited.append(record)
        findings += [finding for finding in found if not (resized and finding.kind == "n_wrong")]
    findings += duplicate_findings(rows) + star_findings(rows, confidence)
    said = tables.get("text")
    findings += statement_findings(said, rows) if isinstance(said, list) else []
    meta = tables.get("_meta")
    return AuditReport(
        tuple(audited),
        tuple(_in_order(findings, list(tables))),
        tuple(baseline.lines),
        str(meta.get("source", "")) if isinstance(meta, Mapping) else "",
    )


def _audit_row(row: PrintedRow, explanation: Explanation, confidence: float) -> tuple[AuditedRow, list[Finding]]:
    methods = interval_methods(row, explanation, confidence)
    expected = expected_intervals(row, explanation, confidence)
    findings = count_findings(row, explanation)
    findings += interval_findings(row, explanation, methods, confidence)
    return audited_row(row, explanation, methods, expected), findings


def _totals(baseline: BaselineAudit) -> dict[int, int]:
    """Cases of all cohorts by least stage: those of the largest column."""
    largest = max((size for _, _, size in baseline.cases), default=0)
    return {least: n for (least, _, size), n in baseline.cases.items() if size == largest}


def _baseline(tables: Mapping[str, object]) -> BaselineAudit:
    whole = BaselineAudit()
    for name, rows in tables.items():
        if isinstance(rows, list) and rows and isinstance(rows[0], Mapping) and "variable" in rows[0]:
            audit = audit_baseline(name, rows)
            whole.findings += audit.findings
            whole.lines += audit.lines
            whole.cases |= audit.cases
    return whole


def _sizes(rows: Sequence[PrintedRow], row: PrintedRow) -> list[int]:
    return [other.n for other in rows if other.cohort == row.cohort and other.n and other.n != row.n]


def _in_order(findings: Sequence[Finding], tables: Sequence[str]) -> list[Finding]:
    """Errors first, contradictions before intervals, then by table and row."""
    unique = {
        (
            finding.kind,
            *(finding.where.get(key) for key in (*PLACE, "cell")),
            finding.sentence,
        ): finding
        for finding in findings
    }
    return sorted(
        unique.values(),
        key=lambda finding: (
            SEVERITIES.index(finding.severity),
            finding.kind == "interval_unreproduced",
            tables.index(str(finding.where["table"])),
            int(str(finding.where.get("row") or 0)),
        ),
    )
