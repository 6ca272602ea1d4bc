"""Stages on other scales than METAVIR: recognised, never converted."""

import re
from collections.abc import Iterable

# Ishak et al., J Hepatol 1995;22:696; Kleiner et al., Hepatology 2005;41:1313; Scheuer, J Hepatol 1991;13:372.
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
        "1a, 1b and 1c are stage 1; write the METAVIR stage alone.",
    ),
    (
        re.compile(r"[f]?4\s*[abc]"),
        "a stage of the Laennec scale",
        "4A, 4B and 4C are F4; write 4.",
    ),
    (
        re.compile(r"s\s*\d"),
        "a stage of Scheuer's scale (S0 to S4)",
        "Write the METAVIR stage alone; Scheuer's stages 0 to 4 are counted alike.",
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
