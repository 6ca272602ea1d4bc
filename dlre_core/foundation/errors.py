"""Errors that a user can put right: each says what is wrong, where, and what to do next."""


class DlreError(Exception):
    """Base of every error that input, configuration or infrastructure can cause.

    Parameters
    ----------
    message : str
        What is wrong and where: the file, patient or key, what was expected and what was found.
    remedy : str
        The next step for the user, one sentence.
    """

    def __init__(self, message: str, remedy: str = "") -> None:
        super().__init__(f"{message} {remedy}".strip())
        self.message = message
        self.remedy = remedy


class ConfigurationError(DlreError):
    """A key of the configuration is unknown, missing or out of range."""


class ClinicalTableError(DlreError):
    """A clinical or measurement table cannot be used as a whole."""


class MachineError(DlreError):
    """The machine lacks something that a study needs."""


class CohortError(DlreError):
    """The cohort folder is missing, empty or not laid out as the data contract says."""


class UnreadableDicom(DlreError):
    """A file cannot be decoded into a picture."""


class DecoderUnavailable(DlreError):
    """The process that decodes files cannot be started on this machine."""


class MissingRegion(DlreError):
    """A picture holds no usable shear-wave elastography box."""


class NeedsProfile(MissingRegion):
    """What a picture shows can only be read with a profile of its screen."""


class ProfileMismatch(MissingRegion):
    """A profile of ``screens.yaml`` claims a picture that it does not fit."""


class StoreMismatch(DlreError):
    """Two files that must describe the same pictures do not."""


class PatientLeak(DlreError):
    """A patient or a picture stands in two cohorts of a split."""


class StorageError(DlreError):
    """Files cannot be written: the disk is full or the folder closed."""


class TrainingError(DlreError):
    """A network cannot be trained on the given cohort."""


class ServerUnavailable(DlreError):
    """The inference server cannot be started or reached, or answers wrongly."""


class ReadingsError(DlreError):
    """A reader's file cannot be used, or the readers have not yet decided what the study needs."""
