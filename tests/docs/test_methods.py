"""The paper's Methods: ten sentences, each with the file that does it."""

import re

from tests.docs.documents import ROOT, text_of

ROW = re.compile(r"^\| ([^|]+) \| ([^|]+) \| `([^`|]+)` \|$", re.MULTILINE)


def methods() -> list[tuple[str, str, str]]:
    """Section, sentence and file of every row."""
    return ROW.findall(text_of("docs/design/methods.md"))


def test_ten_sentences_name_a_section_of_the_paper_and_a_file_of_their_own():
    sections, sentences, files = zip(*methods(), strict=True)
    assert len(files) == len(set(files)) == len(set(sentences)) == 10
    assert set(sections) <= {
        "Patient enrolments",
        "Two-dimensional shear wave elastography",
        "Liver biopsy",
        "Serological examinations",
        "Deep learning Radiomics of elastography",
        "Assessing the overall diagnostic accuracy of DLRE",
        "Assessing the diagnostic accuracy versus the number of acquisitions",
        "Assessing the diagnostic robustness of DLRE",
        "Statistical analysis",
    }


def test_every_file_of_the_methods_is_there():
    assert [file for _, _, file in methods() if not (ROOT / file).is_file()] == []
