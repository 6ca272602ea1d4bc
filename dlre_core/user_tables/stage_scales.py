"""Stages on other scales than METAVIR: recognised, and mapped to F0 to F4 only where the user names the scale."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

ISHAK = (
    "Ishak 0 is F0, 1 and 2 are F1, 3 is F2, 4 is F3, 5 and 6 are F4; ask the pathologist, as the scales do not agree "
    "in every patient"
)
WHOLE = re.compile(r"([A-Za-z]?)\s*(\d+)(?:\.0+)?")
ISHAK_ONLY = (5, 6)
OWN_LETTER = {"fibrosis_stage": "f", "inflammation_grade": "a"}
# Highest of METAVIR, and of the longest other scale (Ishak's stage, Knodell's grade).
HIGHEST = {"fibrosis_stage": (4, 6), "inflammation_grade": (3, 18)}
SCALES = (
    (re.compile(r"[ivx]+"), "a Roman numeral", "Write the METAVIR stage as a digit, 0 to 4."),
    (
        re.compile(r"\d\s*/\s*[4-6]"),
        "a stage of a scale with its highest stage",
        f"Write the METAVIR stage alone. If the scale ends at 6: {ISHAK}.",
    ),
    (
        re.compile(r"[a-z]?\s*\d\s*(?:-|~|to|/|or|,|\.5)\s*(?:[a-z]?\s*\d)?"),
        "between two stages",
        "Write one whole stage, 0 to 4 or F0 to F4: have the pathologist decide.",
    ),
    (
        re.compile(r"[f]?1\s*[abc]"),
        "a stage of the NASH-CRN scale",
        "1a, 1b and 1c are stage 1; write the METAVIR stage alone, or name the scale under units (nash_crn).",
    ),
    (
        re.compile(r"[f]?4\s*[abc]"),
        "a stage of the Laennec scale",
        "4A, 4B and 4C are F4; write 4, or name the scale under units (laennec).",
    ),
    (
        re.compile(r"s\s*\d"),
        "a stage of Scheuer's scale (S0 to S4)",
        "Write the METAVIR stage alone; Scheuer's stages 0 to 4 are counted alike. Or name the scale under units "
        "(scheuer).",
    ),
    (
        re.compile(r"[ag]\s*\d\s*[fs]\s*\d|[fs]\s*\d\s*[ag]\s*\d"),
        "a stage and a grade in one cell",
        "Write the stage into fibrosis_stage and the grade into inflammation_grade.",
    ),
    (
        re.compile(r"[<>≤≥]=?\s*[a-z]?\s*\d|[a-z]?\s*[<>≤≥]=?\s*\d"),
        "a limit, not a stage",
        "Write one whole stage, 0 to 4 or F0 to F4.",
    ),
    (
        re.compile(r"[ag]\s*\d"),
        "a grade of inflammation",
        "Check that stage and grade were not swapped.",
    ),
)

STAGE = "fibrosis_stage"


@dataclass(frozen=True)
class StageScale:
    """A scale of fibrosis; ``stages`` maps its labels, in lower case, to the METAVIR stages 0 to 4."""

    name: str
    label: str
    stages: Mapping[str, int]
    source: str
    letters: str = "f"

    @property
    def highest(self) -> str:
        """Digit of its highest stage."""
        return max(self.stages)[0]

    @property
    def rule(self) -> str:
        """The mapping, for people."""
        of: dict[int, list[str]] = {}
        for label, stage in self.stages.items():
            of.setdefault(stage, []).append(label.upper() if label[0] == "4" else label)
        return "; ".join(f"{', '.join(labels)} {'is' if len(labels) == 1 else 'are'} F{s}" for s, labels in of.items())

    def metavir(self, cell: str) -> int | None:
        """The METAVIR stage of a cell such as 1a, F1a, stage 4B or 5/6, None where it is no stage of this scale.

        Examples
        --------
        >>> STAGE_SCALES["ishak"].metavir("5/6"), STAGE_SCALES["ishak"].metavir("1a")
        (4, None)
        >>> STAGE_SCALES["laennec"].metavir("F4B"), STAGE_SCALES["scheuer"].metavir("S3")
        (4, 3)
        """
        text = cell.strip().lower()
        form = rf"(?:stage|[{self.letters}])?\s*(\d)(?:\.0+)?\s*([a-c]?)(?:\s*/\s*{self.highest})?"
        found = re.fullmatch(form, text)
        return self.stages.get(found[1] + found[2]) if found else None


_FIVE = {str(stage): stage for stage in range(5)}
METAVIR = StageScale("metavir", "METAVIR", _FIVE, "Bedossa 1996, doi:10.1002/hep.510240201")
STAGE_SCALES: Mapping[str, StageScale] = {
    scale.name: scale
    for scale in (
        METAVIR,
        StageScale(
            "ishak",
            "Ishak",
            {"0": 0, "1": 1, "2": 1, "3": 2, "4": 3, "5": 4, "6": 4},
            "Ishak 1995, doi:10.1016/0168-8278(95)80226-6",
        ),
        StageScale("batts_ludwig", "Batts-Ludwig", _FIVE, "Batts and Ludwig, Am J Surg Pathol 1995;19:1409"),
        StageScale("scheuer", "Scheuer", _FIVE, "Scheuer, J Hepatol 1991;13:372", "fs"),
        StageScale(
            "nash_crn",
            "NASH-CRN",
            {"0": 0, "1": 1, "1a": 1, "1b": 1, "1c": 1, "2": 2, "3": 3, "4": 4},
            "Kleiner 2005, doi:10.1002/hep.20701",
        ),
        StageScale(
            "laennec",
            "Laennec",
            {"0": 0, "1": 1, "2": 2, "3": 3, "4": 4, "4a": 4, "4b": 4, "4c": 4},
            "Kim 2012, doi:10.1016/j.jhep.2012.04.029",
        ),
    )
}


def scale_named(name: str) -> StageScale | None:
    """A scale by its name, whatever its case and hyphens.

    Examples
    --------
    >>> scale_named("NASH-CRN").name, scale_named("Knodell")
    ('nash_crn', None)
    """
    return STAGE_SCALES.get(re.sub(r"[\s_-]+", "_", name.strip().lower()))


def scales_table() -> str:
    """The scales as a Markdown table, for the documentation."""
    lines = ["| unit | scale | stages | source |", "|---|---|---|---|"]
    for scale in STAGE_SCALES.values():
        lines.append(f"| `{scale.name}` | {scale.label} | {scale.rule} | {scale.source} |")
    return "\n".join(lines) + "\n"


def whole_grade(cell: str, column: str) -> int | None:
    """The number of a cell such as 3, F3 or 3.0; None where it is not one whole stage or grade.

    Examples
    --------
    >>> whole_grade("F3", "fibrosis_stage"), whole_grade("A3", "fibrosis_stage"), whole_grade("3-4", "fibrosis_stage")
    (3, None, None)
    """
    found = WHOLE.fullmatch(cell)
    if not found or found[1].lower() not in ("", OWN_LETTER[column]):
        return None
    return int(found[2])


def other_scale(cell: str) -> tuple[str, str]:
    """What a cell that is not one whole stage looks like, and the remedy; empty where nothing is known.

    Examples
    --------
    >>> other_scale("F3-4")[0], other_scale("IV")[0], other_scale("4/6")[0]
    ('between two stages', 'a Roman numeral', 'a stage of a scale with its highest stage')
    """
    text = cell.strip().lower()
    text = re.sub(r"^(?:f|s|stage|grade)\s*(?=[ivx])", "", text)
    for form, words, remedy in SCALES:
        if form.fullmatch(text):
            return words, remedy
    return "", ""


def is_on_longer_scale(grades: Iterable[int | None], column: str) -> bool:
    """Whether grades of a hospital go above METAVIR's, as those of Ishak (stage) or Knodell (grade) do.

    Examples
    --------
    >>> is_on_longer_scale([1, 4, 6], "fibrosis_stage"), is_on_longer_scale([1, 4, 9], "fibrosis_stage")
    (True, False)
    """
    highest, other = HIGHEST[column]
    return any(grade is not None and highest < grade <= other and grade != 9 for grade in grades)
