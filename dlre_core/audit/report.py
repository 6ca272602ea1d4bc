"""What the audit found: rows, findings, and how to print them."""

import html
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace

import pandas as pd

from dlre_core.audit.printed import CELL_NAMES, ESTIMATES

SEVERITIES = ("error", "warning", "note")
PLACE = ("table", "row", "stage", "method", "arm", "cohort")


@dataclass(frozen=True)
class Finding:
    """One thing that cannot be right, or cannot be followed.

    ``kind`` is a word for programs, ``where`` a mapping of table, row, stage, method, arm, cohort
    and cell (absent ones are None); ``printed`` and ``expected`` are texts. Severity ``error``:
    cannot be right; ``warning``: right only under an unusual method or an assumption that is said;
    ``note``: worth knowing.
    """

    kind: str
    severity: str
    where: Mapping[str, object]
    sentence: str
    printed: str = ""
    expected: str = ""

    @property
    def place(self) -> str:
        """Where, in words."""
        parts = [str(self.where[key]) for key in PLACE if key != "row" and self.where.get(key)]
        cell = self.where.get("cell")
        return ", ".join(parts) + (f": {CELL_NAMES.get(str(cell), cell)}" if cell else "")


@dataclass(frozen=True)
class AuditedRow:
    """A printed row of diagnostic accuracy.

    Attributes
    ----------
    place : mapping
        table, row, stage, method, arm, cohort.
    n, prevalence : str
        As printed.
    n_used, cases_used : int
        Those behind the counts; they differ from the printed ones where a finding says so.
    integers : tuple of (TP, FN, TN, FP)
        All tables that fit n, prevalence, sensitivity and specificity; empty where none does.
    rounding_steps : int
        1, 2 (rounded twice), or 0 where no table fits.
    counts : (TP, FN, TN, FP) or None
        The table that leaves least of the row unexplained.
    unexplained : tuple of str
        Cells that it does not explain.
    implied : mapping of cell to str
        The estimates that follow from the counts.
    interval_methods : mapping of cell to list of str
        Methods that reproduce the printed interval; empty where none does.
    intervals_expected : mapping of cell to str
        Clopper-Pearson for shares, Simel for likelihood ratios, Hanley-McNeil for the AUC.
    other_sizes : tuple of (n, cases)
        Sizes that would explain the whole row, searched where the printed one does not.
    """

    place: Mapping[str, object]
    n: str
    prevalence: str
    n_used: int | None
    cases_used: int | None
    integers: tuple[tuple[int, int, int, int], ...]
    rounding_steps: int
    counts: tuple[int, int, int, int] | None
    unexplained: tuple[str, ...]
    implied: Mapping[str, str]
    interval_methods: Mapping[str, list[str]]
    intervals_expected: Mapping[str, str]
    other_sizes: tuple[tuple[int, int], ...] = ()

    def flat(self) -> dict[str, object]:
        """One CSV row."""
        tp, fn, tn, fp = self.counts or (None,) * 4
        row: dict[str, object] = {
            **self.place,
            "n": self.n,
            "prevalence_percent": self.prevalence,
            "integers": "; ".join("/".join(map(str, counts)) for counts in self.integers),
            "rounding_steps": self.rounding_steps,
            "n_used": self.n_used,
            "cases_used": self.cases_used,
            "true_positives": tp,
            "false_negatives": fn,
            "true_negatives": tn,
            "false_positives": fp,
            "unexplained": "; ".join(self.unexplained),
            "other_sizes": "; ".join(f"{n} ({cases} cases)" for n, cases in self.other_sizes),
        }
        for cell in ESTIMATES:
            if cell != "auc":
                row[f"{cell}_implied"] = self.implied.get(cell, "")
            row[f"{cell}_methods"] = "; ".join(self.interval_methods.get(cell, []))
            row[f"{cell}_expected"] = self.intervals_expected.get(cell, "")
        return row


@dataclass(frozen=True)
class AuditReport:
    """Rows and findings of one file of published tables."""

    rows: tuple[AuditedRow, ...]
    findings: tuple[Finding, ...]
    baseline: tuple[Mapping[str, object], ...] = ()
    source: str = ""

    @property
    def clean(self) -> bool:
        """True without errors and warnings; notes do not count."""
        return all(finding.severity == "note" for finding in self.findings)

    def to_json(self) -> str:
        """Everything, as JSON text."""
        content = {
            "source": self.source,
            "summary": self.summary(),
            "findings": [asdict(finding) for finding in self.findings],
            "rows": [{**row.place, **_without(asdict(row), "place")} for row in self.rows],
            "baseline": list(self.baseline),
        }
        return json.dumps(content, ensure_ascii=False, indent=1) + "\n"

    def summary(self) -> dict[str, object]:
        """Counts of rows, findings by kind, and interval methods by table and method."""
        methods: dict[str, Counter[str]] = {}
        for row in self.rows:
            tally = methods.setdefault(f"{row.place['table']} {row.place['method']}", Counter())
            for cell, names in row.interval_methods.items():
                if cell != "auc":
                    tally[names[0].split(" (")[0] if names else "none"] += 1
        return {
            "rows": len(self.rows),
            "rows_explained_whole": sum(bool(row.counts) and not row.unexplained for row in self.rows),
            "clean": self.clean,
            "severities": {
                severity: sum(finding.severity == severity for finding in self.findings) for severity in SEVERITIES
            },
            "kinds": dict(sorted(Counter(finding.kind for finding in self.findings).items())),
            "interval_methods": {name: dict(tally) for name, tally in methods.items()},
        }

    def rows_table(self) -> pd.DataFrame:
        """One line a printed row, with its counts, methods and expected intervals."""
        return pd.DataFrame([row.flat() for row in self.rows])

    def findings_table(self) -> pd.DataFrame:
        """One line a finding."""
        columns = [*PLACE, "cell", "kind", "severity", "printed", "expected", "sentence"]
        lines = [
            {**{key: finding.where.get(key) for key in (*PLACE, "cell")}, **asdict(finding)}
            for finding in self.findings
        ]
        return pd.DataFrame(lines, columns=columns)

    def to_text(self) -> str:
        """Findings by severity, then the rows with their counts and interval methods."""
        summary = self.summary()
        lines = [
            f"Audit of published tables{': ' + self.source if self.source else ''}",
            f"{summary['rows']} rows of diagnostic accuracy, "
            f"{summary['rows_explained_whole']} explained as a whole by whole numbers of patients.",
            f"{len(self.findings)} findings: "
            + (", ".join(f"{n} {kind}" for kind, n in summary["kinds"].items()) or "clean")
            + ".",
        ]
        for severity in SEVERITIES:
            chosen = [finding for finding in self.findings if finding.severity == severity]
            if chosen:
                lines += ["", f"{severity.capitalize()}s ({len(chosen)})", ""]
                lines += _finding_lines(chosen)
        lines += ["", "Rows: TP/FN/TN/FP and the interval methods of each cell", ""]
        lines += [_row_line(row) for row in self.rows]
        return "\n".join(lines) + "\n"

    def to_html(self, title: str = "Audit of published tables") -> str:
        """A self-contained page with the findings and the rows."""
        head = (
            "<!doctype html><html lang='en'><head><meta charset='utf-8'>"
            f"<title>{html.escape(title)}</title><style>body{{font:15px sans-serif;margin:2em}}"
            "table{border-collapse:collapse;font-size:13px}td,th{border:1px solid #bbb;"
            "padding:3px 6px;text-align:left;vertical-align:top}</style></head><body>"
        )
        intro = "".join(f"<p>{html.escape(line)}</p>" for line in self.to_text().splitlines()[:3])
        tables = [
            f"<h2>{name}</h2>" + table.fillna("").to_html(index=False, border=0)
            for name, table in (
                ("Findings", self.findings_table()),
                ("Rows, and the intervals that should have been printed", self.rows_table()),
                ("Baseline characteristics", pd.DataFrame(list(self.baseline))),
            )
            if len(table)
        ]
        return f"{head}<h1>{html.escape(title)}</h1>{intro}{''.join(tables)}</body></html>\n"


def _finding_lines(findings: Sequence[Finding]) -> list[str]:
    """One line per finding; intervals that no method reproduces, one line per row."""
    lines: list[str] = []
    intervals: dict[str, list[str]] = {}
    for finding in findings:
        if finding.kind == "interval_unreproduced":
            row = replace(finding, where={**finding.where, "cell": None}).place
            name = CELL_NAMES[str(finding.where["cell"])]
            text = f"{name} {finding.printed} for {finding.expected}"
            intervals.setdefault(row, []).append(text)
        else:
            lines.append(f"- [{finding.kind}] {finding.place}. {finding.sentence}")
    return lines + [f"- [interval_unreproduced] {row}: {'; '.join(texts)}." for row, texts in intervals.items()]


def _row_line(row: AuditedRow) -> str:
    place = ", ".join(str(row.place[key]) for key in PLACE if key != "row" and row.place.get(key))
    counts = "/".join(map(str, row.counts)) if row.counts else "no counts"
    methods = "; ".join(
        f"{CELL_NAMES[cell]} {' or '.join(names) or 'none'}" for cell, names in row.interval_methods.items()
    )
    return f"- {place}, n {row.n} ({row.prevalence} %): {counts}. {methods}"


def _without(content: dict[str, object], key: str) -> dict[str, object]:
    return {name: value for name, value in content.items() if name != key}
