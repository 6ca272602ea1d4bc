"""Names of makers and models that may leave ingestion: known ones only, since any other text may be free text."""

import re

# As Manufacturer (0008,0070) names them, lower case.
MAKERS = {
    "SuperSonic Imagine": r"supersonic|\bssi\b",
    "GE": r"^ge\b|\bge (healthcare|vingmed|medical)|^gems",
    "Siemens": r"siemens|acuson",
    "Canon": r"canon|toshiba",
    "Philips": r"philips",
    "Mindray": r"mindray",
    "Samsung": r"samsung|medison",
    "Fujifilm": r"fujifilm|hitachi|aloka",
    "Esaote": r"esaote",
    "DLRE-SIM": r"dlre-sim",
}
# In Manufacturer's Model Name (0008,1090).
MODELS = (
    r"aixplorer( mach ?[234]0| ultimate)?|mach ?[234]0|logiq ?[a-z]?\d{1,2}( xdclear)?|vivid ?[a-z]?\d{1,2}"
    r"|epiq ?\w{0,5}|affiniti ?\d{2}g?|iu22|aplio ?\w{0,5}|tus-ai?\d{3}|cus-a\w{4,5}"
    r"|(acuson )?(sequoia|s[23]000)|resona ?\w{0,4}|dc-\d{2}|rs8[05]a?|v[78]|arietta ?\w{0,4}|mylab ?\w{0,8}"
)


def known_maker(manufacturer: str) -> str:
    """The maker of a known name; empty for any other.

    Examples
    --------
    >>> [known_maker(name) for name in ("GEMS Ultrasound", "SuperSonic Imagine SA", "Gemini Li", "")]
    ['GE', 'SuperSonic Imagine', '', '']
    """
    name = manufacturer.strip().lower()
    return next((maker for maker, pattern in MAKERS.items() if re.search(pattern, name)), "")


def known_model(model: str) -> str:
    """The part of a model's name that is known, lower case; empty for any other.

    Examples
    --------
    >>> [known_model(name) for name in ("LOGIQE9", "Aixplorer MACH30", "Li Wei's scanner")]
    ['logiqe9', 'aixplorer mach30', '']
    """
    found = re.match(rf"({MODELS})(?![a-z0-9])", model.strip().lower())
    return found.group(1) if found else ""
