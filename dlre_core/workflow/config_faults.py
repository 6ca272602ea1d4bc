"""Refuse a configuration, with one line for every fault."""

import re
from collections.abc import Sequence

from dlre_core.foundation.errors import ConfigurationError

LAST_PORT = 65535
# What stands before @ in an address may be a password, and messages go into logs.
CREDENTIALS = re.compile(r"//[^\s']*@")


def refuse(faults: Sequence[str], remedy: str = "") -> None:
    """Raise a `ConfigurationError` that lists the faults, if any, without passwords in addresses."""
    if faults:
        lines = "\n".join(f"  - {CREDENTIALS.sub('//***@', fault)}" for fault in faults)
        raise ConfigurationError(
            f"The configuration has {len(faults)} fault{'s' * (len(faults) > 1)}:\n{lines}" + "\n" * bool(remedy),
            remedy,
        )
