"""The report: one HTML file that needs no network, for a clinician first."""

import base64
import html
import importlib.metadata
import io
import json
import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pandas as pd
import yaml
from PIL import Image

from dlre_core import __version__
from dlre_core.foundation.csv_tables import read_table
from dlre_core.foundation.design import design_in_use, question_labels
from dlre_core.foundation.digests import core_digest, file_digest
from dlre_core.ingestion.picture_doubts import picture_doubts
from dlre_core.patients.doubts import doubts
from dlre_core.report.exhibits import COMPARING, SECTIONS, Exhibit
from dlre_core.report.page_templates import data_uri, environment
from dlre_core.report.rule_graph import rule_edges, rule_figure
from dlre_core.report.sentences import caveats, contradictions, headline, no_hypothesis, skipped_sentences
from dlre_core.report.unused_files import unused_files
from dlre_core.tables.formatting import arm_name, round_half_up
from dlre_core.tables.primary_hypothesis import TEXT as PRIMARY_TEXT
from dlre_core.tables.primary_hypothesis import primary_sentences
from dlre_core.tables.stored_tables import read_accuracy_table
from dlre_core.tables.typeset import PrintedTable
from dlre_core.workflow.hypothesis_record import named_beforehand

KINDS = {".svg": "image/svg+xml", ".jpg": "image/jpeg"}
PACKAGES = (
    "snakemake",
    "torch",
    "numba",
    "numpy",
    "pandas",
    "h5py",
    "scikit-learn",
    "scipy",
    "tritonclient",
    "nvidia-pytriton",
    "onnxruntime",
    "pydicom",
    "matplotlib",
)


@dataclass(frozen=True)
class ReportFiles:
    """What the page is made from, besides the exhibits.

    Attributes
    ----------
    table_2 : path
        ``table_2.csv``: the headline comes from it.
    counts, rejects, acquisitions : path
        CSV files of ingestion.
    problems, other_problems, enrolment : path
        Problems in the clinical table and in the others, and who was enrolled.
    leak_checks, histories : mapping of split or arm to path
    published_findings, study_audit, study_findings : path
        Findings of the audit of the published tables; audited rows and findings of the study's own.
    metadata : path
        Snakemake's metadata folder, for the picture of the rules.
    benchmarks : path
        Folder of Snakemake's benchmark files; those there are shown.
    primary : path
        ``primary_hypothesis.csv``: the primary hypothesis, tested, or no row.
    """

    table_2: str | Path
    counts: str | Path
    rejects: str | Path
    acquisitions: str | Path
    problems: str | Path
    other_problems: str | Path
    enrolment: str | Path
    leak_checks: Mapping[str, str | Path]
    histories: Mapping[str, str | Path]
    published_findings: str | Path
    study_audit: str | Path
    study_findings: str | Path
    metadata: str | Path
    benchmarks: str | Path
    primary: str | Path


def write_report(
    path: str | Path,
    files: ReportFiles,
    exhibits: Sequence[Exhibit],
    config: Mapping[str, Any],
    *,
    title: str,
    simulated: bool,
    skipped: Mapping[str, str],
) -> None:
    """Assemble the page.

    Parameters
    ----------
    path : path
        Written.
    files : ReportFiles
    exhibits : sequence of Exhibit
        As `dlre_core.report.exhibits.ordered_exhibits` puts them in order.
    config : mapping
    title : str
    simulated : bool
        Puts the banner on.
    skipped : mapping of arm to reason
        Arms that could not be trained.
    """
    accuracy = read_accuracy_table(files.table_2)
    in_tables = [read_table(part) for part in (files.problems, files.other_problems)]
    acquisitions = read_table(files.acquisitions, needs=("scale_source",))
    doubted = doubts(*in_tables, read_table(files.enrolment), acquisitions["scale_source"])
    rejected, found = read_table(files.rejects), read_table(files.counts)
    own_findings = read_table(files.study_findings).fillna("")
    page = (
        environment()
        .get_template("report.html.j2")
        .render(
            title=title,
            simulated=simulated,
            primary=primary_sentences(
                read_table(files.primary, text=PRIMARY_TEXT),
                config["statistics"]["confidence"],
                named_beforehand(config),
            ),
            headline=headline(accuracy, config["statistics"]["confidence"]),
            caveats=[*skipped_sentences(skipped), *no_hypothesis(config), *caveats(accuracy, simulated)],
            doubts=[*doubted.sentences(), *picture_doubts(acquisitions, rejected)],
            apart={
                name: [_exhibit(exhibit) for exhibit in exhibits if exhibit.section == name]
                for name in ("headline", "flow", "quality")
            },
            findings=_rows(read_table(files.published_findings).fillna("")),
            audited_rows=len(read_table(files.study_audit)),
            own_findings=_rows(own_findings),
            contradictions=contradictions(own_findings),
            rules=_rule_graph(files.metadata),
            sections=[
                {
                    "name": name,
                    "title": words,
                    "exhibits": [_exhibit(part) for part in exhibits if part.section == name],
                }
                for name, words in SECTIONS.items()
            ],
            counts=_rows(found),
            files={
                name: data_uri(Path(part), "text/csv")
                for name, part in {
                    "counts.csv": files.counts,
                    "rejects.csv": files.rejects,
                    "problems.csv": files.problems,
                    "other_problems.csv": files.other_problems,
                    "published_findings.csv": files.published_findings,
                    "study_findings.csv": files.study_findings,
                }.items()
            },
            counts_total=found.drop(columns="hospital").sum().to_dict(),
            rejects=unused_files(rejected),
            file_names=Path(config["privacy"]["key_file"]).parent / "rejected_files",
            problems=_summary(in_tables[0], ["code", "column", "problem", "effect", "remedy"]),
            other_problems=_summary(in_tables[1], ["file", "code", "column", "problem", "effect", "remedy"]),
            leaks=[{"split": name} | _rows(read_table(part))[0] for name, part in files.leak_checks.items()],
            trainings=_trainings(files.histories),
            runtimes=_runtimes(Path(files.benchmarks)),
            versions=_versions(),
            digests={"table_2.csv": file_digest(files.table_2)[:16]},
            config=yaml.safe_dump(json.loads(json.dumps(config)), sort_keys=False),
            stage_names=question_labels(),
            disease=design_in_use().disease,
            rows_uri=rows_uri,
            compares=COMPARING,
        )
    )
    Path(path).write_text(page, encoding="utf-8")


def write_table_page(path: str | Path, title: str, tables: Sequence[PrintedTable], *, simulated: bool) -> None:
    """A page of its own for printed tables, in the report's style."""
    page = environment().get_template("tables.html.j2")
    text = page.render(title=title, tables=[table.html() for table in tables], simulated=simulated)
    Path(path).write_text(text, encoding="utf-8")


def _exhibit(exhibit: Exhibit) -> dict[str, Any]:
    if not exhibit.is_figure:
        text = exhibit.path.read_text(encoding="utf-8")
        return {
            "kind": "table",
            "name": exhibit.name,
            "folded": _caption(text) if exhibit.is_folded else "",
            "html": text,
            "csv": data_uri(exhibit.companion, "text/csv"),
        }
    caption = exhibit.companion.read_text(encoding="utf-8").strip()
    title, _, text = caption.partition(". ")
    # "Figure 2. Enrolment: ..." has its number in the first sentence and its subject in the second.
    return {
        "kind": "figure",
        "name": exhibit.name,
        "title": title,
        "folded": f"{title}. {text.partition('. ')[0]}" if exhibit.is_folded else "",
        "text": text,
        "source": data_uri(exhibit.path, KINDS[exhibit.path.suffix]),
        "size": picture_size(exhibit.path),
    }


def _caption(table: str) -> str:
    """The caption of a printed table's HTML, as text."""
    return html.unescape(table.partition("<caption><span>")[2].partition("</span>")[0])


def picture_size(path: str | Path) -> tuple[int, int]:
    """Width and height of an SVG of Matplotlib's or of a JPEG, so that a page can keep its place free.

    Returns
    -------
    tuple of int
        Points of an SVG, pixels of a JPEG.
    """
    path = Path(path)
    if path.suffix != ".svg":
        with Image.open(path) as picture:
            return picture.size
    _, root = next(ElementTree.iterparse(path, events=["start"]))
    _, _, width, height = root.attrib["viewBox"].split()
    return round(float(width)), round(float(height))


def _rule_graph(metadata: str | Path) -> str:
    """The picture of the rules as a data URI; empty where Snakemake remembers nothing."""
    edges = rule_edges(metadata)
    if not edges:
        return ""
    buffer = io.BytesIO()
    rule_figure(edges).savefig(buffer, format="svg", metadata={"Date": None})
    return f"data:image/svg+xml;base64,{base64.b64encode(buffer.getvalue()).decode('ascii')}"


def rows_uri(rows: Sequence[Mapping[str, Any]]) -> str:
    """Rows of the page as a link that holds them as CSV."""
    text = pd.DataFrame(list(rows)).to_csv(index=False, lineterminator="\n")
    return f"data:text/csv;base64,{base64.b64encode(text.encode()).decode('ascii')}"


def _rows(table: pd.DataFrame) -> list[dict[str, Any]]:
    return table.to_dict("records")


def _summary(table: pd.DataFrame, by: list[str]) -> list[dict[str, Any]]:
    """How often each problem occurs, most frequent first."""
    counted = table.fillna("").groupby(by, sort=True).size().reset_index(name="number")
    return _rows(counted.sort_values("number", ascending=False, kind="stable"))


def _trainings(histories: Mapping[str, str | Path]) -> list[dict[str, Any]]:
    rows = []
    for arm, path in histories.items():
        history = read_table(path)
        for stage, part in history.groupby("stage", sort=False):
            chosen = part[part["chosen"] == 1].iloc[0]
            rows.append(
                {
                    "arm": arm_name(arm),
                    "stage": question_labels()[str(stage)],
                    "epochs": len(part),
                    "chosen": int(chosen["epoch"]),
                    **{name: round_half_up(chosen[name], 3) for name in ("loss", "stopping_loss", "auc")},
                }
            )
    return rows


def _runtimes(folder: Path) -> list[dict[str, Any]]:
    """Jobs, seconds and peak memory of each rule, from Snakemake's benchmark files."""
    rows = []
    for path in sorted(folder.rglob("*.tsv")):
        rule = path.relative_to(folder).with_suffix("").parts[0]
        measured = pd.read_csv(path, sep="\t", na_values=["-"])
        rows.append([rule, measured["s"].sum(), measured["max_rss"].max()])
    table = pd.DataFrame(rows, columns=["rule", "seconds", "memory_mb"])
    grouped = table.groupby("rule").agg(
        jobs=("seconds", "size"), seconds=("seconds", "sum"), memory_mb=("memory_mb", "max")
    )
    grouped = grouped.sort_values("seconds", ascending=False).round({"seconds": 1, "memory_mb": 0})
    return _rows(grouped.reset_index().fillna({"memory_mb": 0}))


def _versions() -> dict[str, str]:
    versions = {"dlre": __version__, "Python": platform.python_version()}
    for package in PACKAGES:
        try:
            versions[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            versions[package] = "not installed"
    return versions | {"library digest": core_digest("training.arm_training", "comparators.patient_scores", "tables")}
