"""Words that hospitals write for yes, no, the sexes, causes of disease, countries and what is missing."""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping
from functools import lru_cache

# In columns that are not text. "-" may also mean no, where a column has "+" as well.
MISSING_WORDS = frozenset(
    [
        "",
        "na",
        "n/a",
        "n.a.",
        "#n/a",
        "nan",
        "null",
        "#null!",
        "none",
        "nil",
        "missing",
        "unknown",
        "unk",
        "not done",
        "not tested",
        "not available",
        "not known",
        "nd",
        "n.d.",
        "nt",
        ".",
        "..",
        "-",
        "--",
        "---",
        "?",
        "??",
        "/",
        "\\",
        "*",
        "未查",
        "未测",
        "未检",
        "未检测",
        "未做",
        "未知",
        "不详",
        "不明",
        "缺失",
        "暂无",
        "unbekannt",
        "k.a.",
        "keine angabe",
        "fehlt",
        "inconnu",
        "non fait",
    ]
)
# Numbers that statistics programs take for missing.
MISSING_CODES = frozenset([9, 99, 999, 9999, -1, -9, -99, -999, -9999, 99.9, 999.9])

YES_NO = (
    ("1", "0"),
    ("Y", "N"),
    ("yes", "no"),
    ("true", "false"),
    ("T", "F"),
    ("+", "-"),
    ("positive", "negative"),
    ("pos", "neg"),
    ("是", "否"),
    ("有", "无"),
    ("阳性", "阴性"),
    ("阳", "阴"),
    ("J", "N"),
    ("ja", "nein"),
    ("O", "N"),
    ("oui", "non"),
    ("positiv", "negativ"),
    ("positif", "négatif"),
)
MALE_FEMALE = (
    ("M", "F"),
    ("male", "female"),
    ("man", "woman"),
    ("男", "女"),
    ("男性", "女性"),
    ("M", "W"),
    ("männlich", "weiblich"),
    ("mann", "frau"),
    ("H", "F"),
    ("homme", "femme"),
    ("masculin", "féminin"),
)
# ISO 3166-1 alpha-2.
_COUNTRIES = (
    "AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS BT BV BW BY "
    "BZ CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE EG EH ER ES ET FI FJ FK "
    "FM FO FR GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW GY HK HM HN HR HT HU ID IE IL IM IN IO IQ IR "
    "IS IT JE JM JO JP KE KG KH KI KM KN KP KR KW KY KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK "
    "ML MM MN MO MP MQ MR MS MT MU MV MW MX MY MZ NA NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM "
    "PN PR PS PT PW PY QA RE RO RS RU RW SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TF "
    "TG TH TJ TK TL TM TN TO TR TT TV TW TZ UA UG UM US UY UZ VA VC VE VG VI VN VU WF WS YE YT ZA ZM ZW"
)
COUNTRIES = tuple(_COUNTRIES.split())
# Other words for the values of columns of the kind category; a name that means something else is none of them.
SYNONYMS: Mapping[str, Mapping[str, str]] = {
    "aetiology": {
        "chb": "hbv",
        "hepatitis b": "hbv",
        "chronic hepatitis b": "hbv",
        "乙肝": "hbv",
        "chc": "hcv",
        "hepatitis c": "hcv",
        "chronic hepatitis c": "hcv",
        "丙肝": "hcv",
    },
    # NA is a word for missing.
    "country": {"namibia": "NA"},
}
ZERO_OR_ONE = re.compile(r"([012])\.0+")
DASHES = str.maketrans(dict.fromkeys("‐‑‒–—―−﹣", "-"))


@lru_cache(maxsize=20_000)
def plain(cell: str) -> str:
    """A cell in one form, whatever its case, width and dashes.

    Examples
    --------
    >>> plain("Ｙｅｓ"), plain("—"), plain("1.0")
    ('yes', '-', '1')
    """
    if not cell.isascii():
        cell = unicodedata.normalize("NFKC", cell).translate(DASHES)
    cell = cell.strip().casefold()
    number = ZERO_OR_ONE.fullmatch(cell)
    return number[1] if number else cell


def is_missing(cell: str) -> bool:
    """Whether a cell says that there is no value.

    Examples
    --------
    >>> is_missing("N/A"), is_missing("未查"), is_missing("0")
    (True, True, False)
    """
    return plain(cell) in MISSING_WORDS


class Vocabulary:
    """Pairs of words, such as yes and no in several languages.

    Parameters
    ----------
    pairs : sequence of (word, word)
    values : (value, value)
        What the first and the second word of every pair mean.
    """

    def __init__(self, pairs: Iterable[tuple[str, str]], values: tuple[object, object]) -> None:
        self._meaning: dict[str, object] = {}
        self._pairs: dict[str, list[str]] = {}
        for pair in pairs:
            for word, value in zip(pair, values, strict=True):
                self._meaning[plain(word)] = value
                self._pairs.setdefault(plain(word), []).append("/".join(pair))

    def meaning(self, word: str) -> object:
        """What a plain word means, None where it is none of the words."""
        return self._meaning.get(word)

    def used(self, words: Mapping[str, int]) -> dict[str, int]:
        """Pairs that plain words belong to, with the number of cells; a word of several pairs joins one that is sure.

        Examples
        --------
        >>> Vocabulary(YES_NO, (1, 0)).used({"j": 2, "n": 3, "1": 1})
        {'J/N': 5, '1/0': 1}
        """
        counts: Counter[str] = Counter()
        known = {word: number for word, number in words.items() if word in self._pairs}
        for word in sorted(known, key=lambda word: len(self._pairs[word])):
            pairs = self._pairs[word]
            counts[next((pair for pair in pairs if pair in counts), pairs[0])] += known[word]
        return dict(counts)


FLAGS = Vocabulary(YES_NO, (1, 0))
SEXES = Vocabulary(MALE_FEMALE, ("M", "F"))
