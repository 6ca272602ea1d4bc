"""How a study here would read pictures, for what runs before it."""

from dlre_core.dicom.reader import ReadLimits
from dlre_core.ingestion.usable_picture import IngestionSettings
from dlre_core.workflow.configuration import CONFIGURATION, SCHEMA, checked_section


def reading_settings() -> IngestionSettings:
    """How a study here would read pictures: by the section ingestion of the ``config.yaml`` here, else by the defaults.

    Raises
    ------
    ConfigurationError
        If that section is wrong.
    """
    given = checked_section(CONFIGURATION, SCHEMA, "ingestion")
    limits = ReadLimits(**given.pop("limits", {}))
    return IngestionSettings(limits=limits, **given)
