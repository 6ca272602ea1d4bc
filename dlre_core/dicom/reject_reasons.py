"""Why a file or picture was not used: codes, sentences and remedies."""

from enum import Enum

from dlre_core.foundation.errors import UnreadableDicom


class Reason(Enum):
    """Reason code: (processing stage, sentence, remedy)."""

    NOT_A_FILE = (
        "finding",
        "Not a regular file: a pipe, a device or a link.",
        "Copy the file itself into the hospital's folder.",
    )
    LINKED_FOLDER = (
        "finding",
        "A link to a folder; links are not followed, since they may lead anywhere.",
        "Copy the folder itself into the hospital's folder.",
    )
    UNREADABLE_FILE = ("finding", "The file cannot be opened.", "Give the user who runs the study read permission.")
    TOO_LARGE = (
        "finding",
        "The file is larger than ingestion.limits.bytes_per_file.",
        "Export single pictures, or raise the limit.",
    )
    BAD_ARCHIVE = (
        "finding",
        "The zip archive is damaged, encrypted, has unsafe names or archives within it.",
        "Unpack it by hand into the hospital's folder.",
    )
    CROWDED_ARCHIVE = (
        "finding",
        "The zip archive has more than 100,000 files, or a list of them longer than 64 MB.",
        "Unpack it by hand into the hospital's folder, or make an archive of each patient.",
    )
    OTHER_ARCHIVE = (
        "finding",
        "An archive or compressed file (gzip, tar, 7z, rar, bzip2, xz); of these only zip is read.",
        "Unpack it by hand into the hospital's folder.",
    )
    EMPTY_FILE = (
        "finding",
        "There is nothing in the file or archive, or only zeros: copying it was interrupted.",
        "Copy or export it again.",
    )
    FILM = (
        "reading",
        "A film (AVI, MP4, MOV, MPEG, WMV, MKV); films are not read.",
        "Export the frames that count as stills (PNG, or DICOM), or the clip as DICOM.",
    )
    OTHER_PICTURE = (
        "reading",
        "A picture in a format that is not read (GIF, WebP, HEIC, JPEG 2000, JPEG XL, Photoshop, big TIFF).",
        "Export or save it as PNG.",
    )
    NOT_WHAT_IT_SAYS = (
        "reading",
        "The name ends as a picture's or a film's does, but the content is none that is known.",
        "Export it again; a file that only has the wrong name can be left where it is.",
    )
    DAMAGED_DICOM = ("reading", "The DICOM file is damaged or cut off.", "Export it again from the PACS.")
    NO_PIXELS = ("reading", "The DICOM file has no picture.", "Export the picture; a report can stay.")
    TOO_MANY_PIXELS = (
        "reading",
        "The number of pixels or of frames is above the limits.",
        "Check the file; raise ingestion.limits if it is right.",
    )
    OVER_MEMORY = (
        "reading",
        "Decoding needs more memory than any picture within the limits.",
        "Check the file: it is damaged or made to do harm.",
    )
    TOO_SLOW = (
        "reading",
        "Decoding took longer than ingestion.limits.seconds_per_file.",
        "Export single pictures instead of a long clip, or raise the limit.",
    )
    UNDECODABLE = (
        "reading",
        "The pixels are cut off, damaged or of an unknown compression.",
        "Export it again: as DICOM, uncompressed or as JPEG baseline, or as PNG.",
    )
    SEVERAL_PAGES = (
        "reading",
        "The TIFF file has several pages, or the PNG file moves: nobody knows which picture counts.",
        "Save each page as a file of its own.",
    )
    ODD_COLOURS = (
        "reading",
        "The picture file's colours are not a screen's (CMYK, Lab, 32 bits, floating point): they would change.",
        "Export it again, or save it from the original as PNG with RGB colours.",
    )
    NO_PATIENT = (
        "matching",
        "No patient of the clinical table belongs to this picture.",
        "Add the patient to clinical.csv, or correct patient_id to equal Patient ID or, of a picture file, the name of "
        "its folder.",
    )
    TWO_PATIENTS = (
        "matching",
        "Patient ID and folder, or two files with the same picture, name two patients.",
        "Find out whose picture it is and remove it from the other patient.",
    )
    DUPLICATE = (
        "matching",
        "The same picture was already read from another file.",
        "Nothing to do: it is kept once.",
    )
    CONFLICT = (
        "matching",
        "Another file has the same SOP Instance UID but other pixels.",
        "Find out which of the two is right and remove the other.",
    )
    CONSTANT_UID = (
        "matching",
        "Three or more different pictures have the same SOP Instance UID: an anonymiser wrote it.",
        "Export again and have every UID replaced by one of its own; or write trust_uids: false in the section "
        "ingestion, and pictures are told apart by what they show.",
    )
    NO_ELASTOGRAM = (
        "quality",
        "No shear-wave elastogram was found in the picture: no box, or no colour bar.",
        "Of an elastogram: export the whole screen, describe the screen in screens.yaml (make screens FOLDER=... "
        "proposes it), or draw its square in roi.csv. Plain B-mode and Doppler can stay; they are not used.",
    )
    SQUARE_OUTSIDE = (
        "quality",
        "The square in roi.csv reaches out of the picture, or its side has fewer than 32 pixels.",
        "Correct row, column and size in roi.csv: pixels of the upright picture, counted from its top left corner.",
    )
    PROFILE_DISAGREES = (
        "quality",
        "The profile in screens.yaml that claims the picture does not fit it.",
        "Correct the profile, or narrow its match so that it does not claim such pictures; make screens FOLDER=... "
        "draws every kind of screen with what was found on it.",
    )
    LITTLE_SIGNAL = ("quality", "Little or no signal in the box.", "Nothing to do: a failed acquisition.")
    SATURATED = (
        "quality",
        "Nearly all of the box is at full scale.",
        "This acquisition cannot be used; acquire with a higher range of the colour scale.",
    )
    RECOLOURED = (
        "quality",
        "The colours are not those of the colour bar, as after an export that changed them; stiffness cannot be read.",
        "Export the original picture from the scanner or PACS; or draw the square in roi.csv, and only that is used.",
    )
    WRONG_SCALE = (
        "quality",
        "The colour scale has another range than the study's.",
        "Correct ingestion.scale_maximum_kpa if it is wrong, or acquire with that range; a square in roi.csv makes the "
        "picture usable, with stiffness from measurements.csv alone.",
    )
    BOX_OUTSIDE = (
        "quality",
        "The box reaches out of the picture or does not fit the square.",
        "Draw the square in roi.csv, as much of the box as there is; better acquire with the box inside the picture.",
    )
    OTHER_EXAMINATION = (
        "selection",
        "The picture is from another examination than the patient's row of clinical.csv: its day is further "
        "from elastography_date than enrolment.maximum_days_from_elastography.",
        "Correct elastography_date if it is wrong; an earlier or a later examination stays out. Where an export moved "
        "the days of pictures, move those of clinical.csv alike.",
    )
    SEVERAL_EXAMINATIONS = (
        "selection",
        "The patient's pictures are of several days, and no elastography_date says which examination counts.",
        "Write elastography_date into clinical.csv; of a new patient, stage one examination at a time.",
    )
    SAME_ACQUISITION = (
        "selection",
        "Another picture shows the same acquisition: a copy with loss, a screenshot, or the frame before or "
        "after the Q-Box was placed.",
        "Nothing to do: it counts once. If these are two acquisitions, tell the authors of the program.",
    )
    SURPLUS = (
        "selection",
        "The patient already has the number of pictures that the study uses.",
        "Nothing to do: the first valid ones in acquisition order count.",
    )
    EXCLUDED_BY_READERS = (
        "selection",
        "The readers excluded the picture in the reading room.",
        "Nothing to do; make read READER=... changes a verdict.",
    )

    @property
    def code(self) -> str:
        """Name in the reject list, lower case."""
        return self.name.lower()

    @property
    def processing_stage(self) -> str:
        """finding, reading, matching, quality or selection."""
        return str(self.value[0])

    @property
    def sentence(self) -> str:
        """What is wrong."""
        return str(self.value[1])

    @property
    def remedy(self) -> str:
        """What to do."""
        return str(self.value[2])


# Behind the sentence of `Reason.SAME_ACQUISITION`: the file that counts.
COUNTED_INSTEAD = " Counted instead: "


class Unusable(UnreadableDicom):
    """A file or picture is not used, for ``reason``; a ``passing`` one may lie in the machine's state at the time."""

    def __init__(self, reason: Reason, detail: str = "", *, passing: bool = False) -> None:
        super().__init__(f"{reason.sentence} {detail}".rstrip(), reason.remedy)
        self.reason, self.detail = reason, detail
        self.passing = passing or reason in PASSING


# These say something about the machine at the time, not about the file.
PASSING = (Reason.TOO_SLOW, Reason.OVER_MEMORY, Reason.UNREADABLE_FILE)


def documentation() -> str:
    """All reasons as a Markdown table, for docs/reference/rejects.md."""
    lines = ["| code | at | meaning | what to do |", "|---|---|---|---|"]
    lines += [
        f"| `{reason.code}` | {reason.processing_stage} | {reason.sentence} | {reason.remedy} |" for reason in Reason
    ]
    return "\n".join(lines) + "\n"
