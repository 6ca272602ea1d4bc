"""Why a study of the list, or a picture of it, did not come: codes, sentences and remedies."""

from enum import Enum

from dlre_core.foundation.errors import DlreError


class Failure(Enum):
    """Failure code: (sentence, remedy)."""

    BAD_LINE = (
        "The line has no key, a key with a wildcard or a UID that is none.",
        "Correct the line of studies.csv.",
    )
    NOT_FOUND = (
        "The PACS has no such study or picture.",
        "Compare the line of studies.csv with the PACS; ask whether the study was archived.",
    )
    NO_PICTURES = (
        "The study has no ultrasound or secondary capture picture.",
        "Check that the line names the elastography; send its pictures to the PACS.",
    )
    OTHER_PATIENT = (
        "The study belongs to another patient than the line says.",
        "Correct study_instance_uid or patient_id in the line.",
    )
    REFUSED = (
        "The PACS does not let this user have it.",
        "Ask its administrator for read access to the study.",
    )
    TOO_LARGE = (
        "The picture is larger than ingestion.limits.bytes_per_file.",
        "Raise the limit if the file is right.",
    )
    WRONG_CONTENT = (
        "The PACS sent something else than the picture asked for.",
        "Ask its administrator to check the study.",
    )
    CUT_OFF = (
        "The transfer broke off, each time it was tried.",
        "Run make pull again; only what is missing is fetched.",
    )
    SERVER_FAULT = (
        "The PACS did not answer, or with an error of its own, each time it was tried.",
        "Run make pull again later; only what is missing is fetched.",
    )

    @property
    def code(self) -> str:
        """Name in the table, lower case."""
        return self.name.lower()

    @property
    def sentence(self) -> str:
        """What is wrong."""
        return self.value[0]

    @property
    def remedy(self) -> str:
        """What to do."""
        return self.value[1]

    @property
    def of_the_server(self) -> bool:
        """Whether it says more about the server or the network than about the study."""
        return self in (Failure.CUT_OFF, Failure.SERVER_FAULT)


class NotPulled(DlreError):
    """A study or picture did not come, for ``failure``."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.sentence, failure.remedy)
        self.failure = failure


def documentation() -> str:
    """All failures as a Markdown table, for docs/guide/pacs.md."""
    rows = [f"| `{f.code}` | {f.sentence} | {f.remedy} |" for f in Failure]
    return "\n".join(["| code | meaning | what to do |", "|---|---|---|", *rows]) + "\n"
