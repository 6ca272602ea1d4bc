"""Read the scale of a colour bar from the labels beside it: low and high end, unit, and which end is stiff.

Words are compared whole with those that a scale can have, in a few common fonts, so that touching letters and
small print do no harm. All words must agree on one scale, and every other scale must explain them clearly worse:
what is in doubt is not read, nothing is guessed from half a label.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.util import find_spec
from itertools import product
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont
from scipy import ndimage

from dlre_core.elastography.scale import KPA, METRES_PER_SECOND, Scale
from dlre_core.elastography.screen_layout import Rectangle

# Where scales end: what scanners offer. A label that says anything else is not read.
HIGH_ENDS = {
    KPA: (10, 15, 20, 25, 30, 35, 40, 45, 50, 60, 70, 75, 80, 90, 100, 120, 150, 180, 200, 240, 250, 300),
    METRES_PER_SECOND: (2, 2.5, 3, 3.5, 3.6, 3.7, 4, 4.1, 4.5, 5, 5.5, 5.8, 6, 6.5, 7, 7.1, 7.5, 7.7, 8, 9, 10),
}
LOW_ENDS = {KPA: (0.0,), METRES_PER_SECOND: (0.0, 0.5, 1.0)}
# Units that other screens print: a bar with one of these is no scale of stiffness.
OTHER_UNITS = ("cm/s", "mm/s", "dB", "Hz", "kHz", "cm", "mm", "%", "High", "Low")
SIGNS = ("", "≥", ">")
_SIGNS_ALONE = ("≥", ">", "≤", "<")
# Labels lie this near the bar, as a share of its length: beside it, and beyond its ends.
BESIDE, BEYOND = 0.7, 0.28
# Text as a share of the bar's length; the least that can be read, in pixels of the enlarged picture.
SMALLEST_TEXT, LARGEST_TEXT, LEAST_TEXT = 0.02, 0.2, 10
LEAST_CONTRAST = 50
# Parts at least so bright, as a share of the text's brightness, are ink; no letter is so many times as wide as high.
# With less, points of numbers are seen, and letters touch.
INKS, LONGEST_LETTER = (0.42, 0.28), 2.0
# Letters of a word are nearer than this share of their height, which differs from font to font; words of a label
# than that.
LETTER_GAPS, WORD_GAP = (0.42, 0.36, 0.56, 0.3), 1.3
# The label of an end lies this near, in half heights of the text.
NEAR_END = 6.0
# Words are compared at this height, pixels; their shape may be so much wider or narrower than a font's.
HEIGHT, SHAPE = 18, 1.3
# Correlation with the best font's: below it a word is none of the scale's; of a unit; of all words at the mean.
LEAST_LIKE, LEAST_UNIT, LEAST_MEAN = 0.5, 0.55, 0.62
# Correlation of a sign before a number, such as "or more".
LEAST_SIGN = 0.4
# Below it a scale's end is not what a label there says, and nobody need look further.
LEAST_PLAUSIBLE = 0.3
# How clearly another scale must lose where the two differ: 1 is the one, -1 the other.
LEAST_LEAD = 0.25
# The same for another digit in a number that nothing else supports, and in one of several ticks.
LEAST_LEAD_OF_DIGIT, LEAST_LEAD_OF_TICK = 0.06, -0.35
# Correlations where there are few numbers: of one, and of all at the mean.
LEAST_LIKE_OF_FEW, LEAST_MEAN_OF_FEW = 0.72, 0.78
# So many times as wide as high is a number with its unit.
WIDE = 2.4
# A tick's number may be off its place by this share of the bar, or this share of the text's half height.
OFF_TICK = 0.015
# Steps of round numbers, the roundest first.
ROUND = (100.0, 50.0, 20.0, 10.0, 5.0, 2.0, 1.0, 0.5, 0.2, 0.1)
FONTS = ("DejaVuSans.ttf", "DejaVuSans-Bold.ttf", "DejaVuSansMono.ttf")
# Sizes at which texts are printed for comparison, pixels: of units, whose letters differ in height, also small ones, as
# there a font's heights are whole pixels.
PRINT, SMALL_PRINTS = 32, (12, 13, 15)


@dataclass(frozen=True)
class LabelledScale:
    """A scale as its labels say it, ends in ``unit``; the stiff end is the top or left one, or the other."""

    low: float
    high: float
    unit: str
    stiff_first: bool

    @property
    def scale(self) -> Scale:
        """The scale of the bar."""
        return Scale(self.low, self.high, self.unit, "label")


class _Word:
    """A word: ``ink`` (height, width) float32, and where it lies.

    ``along`` is its centre along the bar: 0 at the top or left end, 1 at the other; ``half`` half its extent there;
    ``aside`` its distance from the bar across it, in lengths of the bar, negative at the left or above, 0 beyond an
    end. ``crowded`` says that other words than the unit stand close by in its line.
    """

    def __init__(self, ink: NDArray[np.float32], along: float, half: float, aside: float) -> None:
        self.along, self.half, self.aside, self.crowded = along, half, aside, False
        # A pixel around the ink goes along.
        self.height = len(ink) - 2
        self.seen, self._width = _normal(ink)
        self._known: dict[str, _Match] = {}

    @property
    def at_end(self) -> bool:
        """Whether it is the label of an end, which may stand wholly inside it."""
        return min(self.along, 1 - self.along) <= max(OFF_TICK, 1.3 * self.half)

    @property
    def wide(self) -> bool:
        """Whether it may be a number and its unit."""
        return self._width > WIDE * HEIGHT

    def match(self, text: str) -> "_Match":
        """How like a text it is, in the font that fits best."""
        if text not in self._known:
            best = _Match(-1.0, text, self.seen, np.zeros_like(self.seen))
            for font, size in product(range(len(FONTS) + 1), _sizes(text)):
                natural = _natural_width(text, font, size)
                if max(natural / self._width, self._width / natural) <= SHAPE:
                    drawn = _drawn(text, font, size, self._width)
                    score = float(self.seen @ drawn)
                    if score > best.score:
                        best = _Match(score, text, self.seen, drawn)
            self._known[text] = best
        return self._known[text]

    def best(self, texts: Iterable[str]) -> "_Match":
        """The most like of several texts."""
        return max((self.match(text) for text in texts), key=lambda match: match.score)


@dataclass(frozen=True)
class _Match:
    """How like a text a word is, and both as vectors of mean 0 and length 1, at one size."""

    score: float
    text: str
    seen: NDArray[np.float32]
    drawn: NDArray[np.float32]


def read_labels(screen: NDArray[np.uint8], bar: Rectangle, *, may_lack_low_end: bool = False) -> LabelledScale | None:
    """The scale beside a colour bar.

    Parameters
    ----------
    screen : (height, width, 3) uint8
    bar : Rectangle
        Upright or lying, pixels.
    may_lack_low_end : bool
        True where one label at the stiff end is enough, since the bar is known to begin at 0 there.

    Returns
    -------
    LabelledScale or None
        None where there are no labels, or any doubt.
    """
    light, own, upright = _surroundings(screen, bar)
    for ink in INKS:
        letters = _letters(light, max(own.width, own.height), ink)
        for gap in LETTER_GAPS:
            scale = _scale_by(_words(light, own, upright, letters, gap), may_lack_low_end)
            if scale is not None:
                return scale
    return None


def _scale_by(lines: Sequence[list[_Word]], may_lack_low_end: bool) -> LabelledScale | None:
    """The scale that words, by line of close ones, say together."""
    unit = _unit([word for line in lines for word in line])
    if unit is None:
        return None
    numbers = []
    for line in lines:
        first = line[1:] if len(line) > 1 and _is_sign(line[0]) else line
        rest = [word for word in first if word.match(unit).score < LEAST_UNIT]
        for word in rest:
            word.crowded = len(rest) > 1
        numbers += rest
    ends, columns = _columns(numbers)
    found = {_scale_of(column, unit, may_lack_low_end) for column in columns} - {None}
    if not found:
        return _scale_of(ends, unit, may_lack_low_end)
    return found.pop() if len(found) == 1 else None


def _is_sign(word: _Word) -> bool:
    """Whether a word before a number is no part of it."""
    sign = word.best(_SIGNS_ALONE).score
    return sign >= LEAST_SIGN and sign > word.best("0123456789").score


def _columns(numbers: Sequence[_Word]) -> tuple[list[_Word], list[list[_Word]]]:
    """Numbers next beyond the ends, and these with the nearest column at either side, where there is one."""
    ends = [*_next([word for word in numbers if word.aside == 0 and word.along < 0.5], 0.0)]
    ends += _next([word for word in numbers if word.aside == 0 and word.along >= 0.5], 1.0)
    columns = []
    for side in (-1, 1):
        beside = [word for word in numbers if word.aside * side > 0]
        if beside:
            nearest = min(abs(word.aside) for word in beside)
            columns.append(ends + [word for word in beside if abs(word.aside) - nearest < 2 * word.half])
    return ends, columns


@dataclass(frozen=True)
class _Reading:
    """One way to read the numbers: a scale, ticks at ``origin`` and every ``step`` from it, digits after the point."""

    scale: LabelledScale
    step: float
    origin: float
    decimals: int | None

    def text(self, word: _Word) -> str | None:
        """What a number at this place says; None where no tick can be there."""
        scale = self.scale
        place = 1 - word.along if scale.stiff_first else word.along
        if word.at_end:
            return self._print(scale.low if place < 0.5 else scale.high)
        extent = scale.high - scale.low
        value = scale.low + place * extent
        near = self.origin + round((value - self.origin) / self.step) * self.step
        return self._print(near) if abs(near - value) <= max(OFF_TICK, 0.8 * word.half) * extent else None

    def _print(self, value: float) -> str:
        return f"{value:.4g}" if self.decimals is None else f"{value:.{self.decimals}f}"


@cache
def _readings(unit: str) -> list[_Reading]:
    found = []
    for low, high, first in product(LOW_ENDS[unit], HIGH_ENDS[unit], (True, False)):
        scale, extent = LabelledScale(low, float(high), unit, first), high - low
        ticks = {(extent / n, low) for n in (1, 2, 3, 4, 5, 6, 8, 10)}
        ticks |= {(step, 0.0) for step in ROUND if 1.5 < extent / step < 12}
        decimals = (None, 1) if unit == METRES_PER_SECOND else (None,)
        # Numbers of ticks have at most one digit after the point.
        whole = [(step, origin) for step, origin in sorted(ticks) if abs(step * 10 - round(step * 10)) < 1e-9]
        found += [_Reading(scale, step, origin, form) for step, origin in whole for form in decimals]
    return found


def _next(beyond: Sequence[_Word], end: float) -> list[_Word]:
    """Of words beyond an end those in the line next to it, if it is near."""
    nearest = min((abs(word.along - end) for word in beyond), default=0.0)
    return [word for word in beyond if abs(word.along - end) < min(nearest + word.half, NEAR_END * word.half)]


def _scale_of(words: Sequence[_Word], unit: str, may_lack_low_end: bool) -> LabelledScale | None:
    """The one scale that explains all numbers among the words."""
    readings = _plausible(words, unit)
    best = {word: _matches(word, readings, unit) for word in words}
    numbers = [word for word in words if max((match.score for match in best[word]), default=-1) >= LEAST_LIKE]
    # Parts of one label, or a label and something else: nobody knows.
    if not numbers or any(word.crowded for word in numbers):
        return None
    means = np.mean([[match.score for match in best[word]] for word in numbers], axis=0)
    chosen = int(means.argmax())
    scale, matches = readings[chosen].scale, [best[word][chosen] for word in numbers]
    if means[chosen] < LEAST_MEAN or min(match.score for match in matches) < LEAST_LIKE:
        return None
    said = {float(text) for word in numbers if (text := readings[chosen].text(word))}
    ticks = len(said - {scale.low, scale.high})
    both_ends = {scale.low, scale.high} <= said
    if not (both_ends or (scale.high in said and (ticks >= 2 or may_lack_low_end)) or ticks >= 3):
        return None
    for n, reading in enumerate(readings):
        other = [best[word][n] for word in numbers]
        if reading.scale != scale and min(match.score for match in other) > -1 and _lead(matches, other) < LEAST_LEAD:
            return None
    # The label may say what no scale of the list has. With few numbers each must be sure by itself.
    few = ticks < 2
    if few and (means[chosen] < LEAST_MEAN_OF_FEW or min(match.score for match in matches) < LEAST_LIKE_OF_FEW):
        return None
    surest: dict[float, float] = {}
    for word, match in zip(numbers, matches, strict=True):
        lead = min(_lead([match], [word.match(other)]) for other in _near(match.text))
        value = float(readings[chosen].text(word) or np.nan)
        surest[value] = max(lead, surest.get(value, -1.0))
    sure = all(
        lead >= (LEAST_LEAD_OF_DIGIT if few and value in (scale.low, scale.high) else LEAST_LEAD_OF_TICK)
        for value, lead in surest.items()
    )
    return scale if sure else None


def _plausible(words: Sequence[_Word], unit: str) -> list[_Reading]:
    """Readings whose ends the words at the ends can say at all; words that say no end do not count."""
    readings = _readings(unit)
    for word in words:
        if word.at_end:
            texts = [reading.text(word) or "" for reading in readings]
            scores = {text: _best_print(word, text, unit).score for text in set(texts)}
            if max(scores.values()) >= LEAST_LIKE:
                pairs = zip(readings, texts, strict=True)
                readings = [reading for reading, text in pairs if scores[text] >= LEAST_PLAUSIBLE]
    return readings


def _matches(word: _Word, readings: Sequence[_Reading], unit: str) -> list[_Match]:
    """How well a word is what each reading has at its place."""
    texts = [reading.text(word) or "" for reading in readings]
    found = {text: _best_print(word, text, unit) for text in set(texts)}
    return [found[text] for text in texts]


def _best_print(word: _Word, text: str, unit: str) -> _Match:
    """The best of all ways to print a number; a match of -1 where there is none."""
    if not text:
        return _Match(-1.0, "", word.seen, np.zeros_like(word.seen))
    behind = ("", f" {unit}") if word.wide else ("",)
    return word.best([f"{sign}{text}{end}" for sign in SIGNS for end in behind])


@lru_cache(maxsize=1024)
def _near(text: str) -> tuple[str, ...]:
    """The same with one digit another, with one more, or one less."""
    found = []
    for at, character in enumerate(text):
        if character.isdigit():
            found += [text[:at] + digit + text[at + 1 :] for digit in "0123456789" if digit != character]
            found += [text[: at + 1] + digit + text[at + 1 :] for digit in "0125"]
            found += [text[:at] + text[at + 1 :]] if sum(map(str.isdigit, text)) > 1 else []
    return tuple(found)


def _lead(first: Sequence[_Match], second: Sequence[_Match]) -> float:
    """How much better the first texts explain the words than the second do, where they differ: -1 to 1."""
    gain = size = 0.0
    for one, other in zip(first, second, strict=True):
        if one.text != other.text:
            apart = one.drawn - other.drawn
            gain += 2 * float(one.seen @ apart) - float(one.drawn @ one.drawn - other.drawn @ other.drawn)
            size += float(apart @ apart)
    return gain / size if size > 0 else 0.0


def _unit(words: Sequence[_Word]) -> str | None:
    """The unit that the words name; None where none does, or another one is there."""
    found = set()
    for word in words:
        texts = {unit: _UNITS_ALONE[unit] for unit in (KPA, METRES_PER_SECOND, *OTHER_UNITS)}
        if word.wide:
            texts = {unit: [f"{end:g} {unit}" for end in _ENDS[unit]] for unit in _ENDS}
        matches = {unit: word.best(forms) for unit, forms in texts.items()}
        unit = max(matches, key=lambda name: matches[name].score)
        clear = all(_lead([matches[unit]], [matches[n]]) >= LEAST_LEAD for n in matches if n != unit)
        if matches[unit].score >= LEAST_UNIT and clear:
            found.add(unit)
    return found.pop() if len(found) == 1 and found <= {KPA, METRES_PER_SECOND} else None


_UNITS_ALONE = {unit: (unit, f"({unit})", f"[{unit}]") for unit in (KPA, METRES_PER_SECOND, *OTHER_UNITS)}
# Numbers with their unit in one word: of stiffness, and of colour Doppler.
_ENDS = {unit: (*LOW_ENDS[unit], *HIGH_ENDS[unit]) for unit in (KPA, METRES_PER_SECOND)} | {
    "cm/s": (*range(1, 10), *range(10, 100, 5))
}


def _surroundings(screen: NDArray[np.uint8], bar: Rectangle) -> tuple[NDArray[np.float32], Rectangle, bool]:
    """What lies around a bar, enlarged and above its background; the bar in it, blanked; whether it is upright."""
    upright = bar.height >= bar.width
    length = max(bar.height, bar.width)
    aside, beyond = round(BESIDE * length), round(BEYOND * length)
    right, down = (aside, beyond) if upright else (beyond, aside)
    place = bar.grown(right, down).clamped(*screen.shape[:2])
    # Text is white, grey or yellow: its brightest channel stands out.
    red, green, blue = np.moveaxis(place.cut(screen), 2, 0)
    light = np.maximum(np.maximum(red, green), blue)
    larger = 2 if screen.shape[1] >= 1200 else 3
    size = (light.shape[1] * larger, light.shape[0] * larger)
    light = np.asarray(Image.fromarray(light).resize(size, Image.Resampling.LANCZOS), dtype=np.float32)
    light -= np.median(light)
    own = bar.moved(-place.left, -place.top).scaled(larger)
    # No more than the bar's own blur: on small screens numbers touch it.
    own.grown(1).clamped(*light.shape).cut(light)[:] = 0
    _without_ticks(light, own, 3 * larger)
    return light, own, upright


def _without_ticks(light: NDArray[np.float32], own: Rectangle, reach: int) -> None:
    """Blank lines of ticks at the bar's sides (mutated), which numbers may touch."""
    labels, _ = ndimage.label(light > LEAST_CONTRAST / 2)
    for number, (rows, columns) in enumerate(ndimage.find_objects(labels), start=1):
        # A point of a number beside an end may lie level with it.
        level = own.top - reach <= rows.start and rows.stop <= own.bottom + reach
        beside = level and min(abs(columns.start - own.right), abs(columns.stop - own.left)) <= reach + 3
        between = own.left - reach <= columns.start and columns.stop <= own.right + reach
        beyond = between and min(abs(rows.start - own.bottom), abs(rows.stop - own.top)) <= reach + 3
        if (beside or beyond) and min(rows.stop - rows.start, columns.stop - columns.start) <= reach:
            light[rows, columns][labels[rows, columns] == number] = 0


def _letters(light: NDArray[np.float32], length: int, ink: float) -> list[tuple[slice, slice]]:
    """Rows and columns of parts as large as letters; what touches the edge may be cut and is left out."""
    bright = light[light > LEAST_CONTRAST / 2]
    if not bright.size or bright.max() < LEAST_CONTRAST:
        return []
    labels, _ = ndimage.label(light > ink * np.percentile(bright, 95), np.ones((3, 3)))
    height, width = light.shape
    return [
        (rows, columns)
        for rows, columns in ndimage.find_objects(labels)
        if rows.start > 0
        and rows.stop < height
        and columns.start > 0
        and columns.stop < width
        and rows.stop - rows.start <= LARGEST_TEXT * length
        # A tick's line.
        and columns.stop - columns.start <= LONGEST_LETTER * (rows.stop - rows.start)
    ]


def _words(
    light: NDArray[np.float32], own: Rectangle, upright: bool, letters: Sequence[tuple[slice, slice]], gap: float
) -> list[list[_Word]]:
    """Words around the bar, in lines of close ones."""
    length = own.height if upright else own.width
    places = _joined(letters, gap)
    least, largest = max(LEAST_TEXT, SMALLEST_TEXT * length), LARGEST_TEXT * length
    places = [place for place in places if place[0].stop - place[0].start <= largest]
    lines: list[list[_Word]] = []
    ends: list[tuple[slice, slice]] = []
    for rows, columns in sorted(places, key=lambda place: place[1].start):
        ink = light[max(rows.start - 1, 0) : rows.stop + 1, max(columns.start - 1, 0) : columns.stop + 1].clip(0)
        along, across = (rows, columns) if upright else (columns, rows)
        first, last, left, right = (
            (own.top, own.bottom, own.left, own.right) if upright else (own.left, own.right, own.top, own.bottom)
        )
        at = ((along.start + along.stop) / 2 - first) / (last - first)
        half = (along.stop - along.start) / 2 / (last - first)
        beyond = at < -half / 2 or at > 1 + half / 2
        word = _Word(ink, at, half, 0.0 if beyond else _outside(across, left, right) / length)
        for number, (before, reach) in enumerate(ends):
            tallest = max(rows.stop - rows.start, before.stop - before.start)
            if _in_line(rows, before) and columns.start - reach.stop <= WORD_GAP * tallest:
                lines[number].append(word)
                ends[number] = (rows, columns)
                break
        else:
            lines.append([word])
            ends.append((rows, columns))
    # A speck between words may be the point of a number; before the first, as part of a sign, it is nothing.
    for line in lines:
        while line and line[0].height < least:
            del line[0]
        while line and line[-1].height < least:
            del line[-1]
    return [line for line in lines if line]


def _outside(span: slice, first: int, last: int) -> float:
    """Distance of a span from first to last, negative before it; 0 where they overlap."""
    return float(min(span.stop - first, 0) or max(span.start - last, 0))


def _in_line(rows: slice, others: slice) -> bool:
    shared = min(rows.stop, others.stop) - max(rows.start, others.start)
    return shared >= 0.5 * min(rows.stop - rows.start, others.stop - others.start)


def _joined(letters: Sequence[tuple[slice, slice]], gap: float) -> list[tuple[slice, slice]]:
    """Letters that stand close together in one line, as words; long ones are two, apart at their widest gap."""
    words: list[list[tuple[slice, slice]]] = []
    for rows, columns in sorted(letters, key=lambda place: place[1].start):
        for word in words:
            before, reach = _around(word)
            tallest = max(rows.stop - rows.start, before.stop - before.start)
            if _in_line(rows, before) and columns.start - reach.stop <= gap * tallest:
                word.append((rows, columns))
                break
        else:
            words.append([(rows, columns)])
    return [_around(part) for word in words for part in _halves(word)]


def _halves(word: list[tuple[slice, slice]]) -> list[list[tuple[slice, slice]]]:
    """A number and its unit where both were taken for one word, else the word."""
    rows, columns = _around(word)
    if len(word) < 3 or columns.stop - columns.start <= WIDE * (rows.stop - rows.start):
        return [word]
    ends = np.maximum.accumulate([place[1].stop for place in word])
    gaps = np.array([place[1].start for place in word[1:]]) - ends[:-1]
    widest = int(gaps.argmax())
    if gaps[widest] < 1.2 * np.delete(gaps, widest).max(initial=0):
        return [word]
    unit, (behind, across) = word[widest + 1 :], _around(word[widest + 1 :])
    # No unit is narrow: a digit behind a point is a part of its number.
    narrow = across.stop - across.start <= behind.stop - behind.start
    return [word] if narrow else [word[: widest + 1], unit]


def _around(word: Sequence[tuple[slice, slice]]) -> tuple[slice, slice]:
    rows, columns = zip(*word, strict=True)
    return (
        slice(min(part.start for part in rows), max(part.stop for part in rows)),
        slice(min(part.start for part in columns), max(part.stop for part in columns)),
    )


def _normal(ink: NDArray[np.float32]) -> tuple[NDArray[np.float32], int]:
    """A word cut to its ink at `HEIGHT`, as a vector of mean 0 and length 1, and its width there."""
    dark = ink > INKS[0] * ink.max()
    rows, columns = np.flatnonzero(dark.any(axis=1)), np.flatnonzero(dark.any(axis=0))
    tight = ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    width = max(round(HEIGHT * tight.shape[1] / tight.shape[0]), 2)
    return _vector(Image.fromarray(tight), width), width


def _vector(picture: Image.Image, width: int) -> NDArray[np.float32]:
    small = np.asarray(picture.resize((width, HEIGHT), Image.Resampling.BILINEAR), dtype=np.float32).ravel()
    small = small - small.mean()
    return small / max(float(np.linalg.norm(small)), 1e-6)


def _sizes(text: str) -> tuple[int, ...]:
    return (PRINT,) if text[-1:].isdigit() else (PRINT, *SMALL_PRINTS)


@lru_cache(maxsize=4096)
def _printed(text: str, font: int, size: int) -> Image.Image:
    """A text in one of the fonts, cut to its ink; soft, as on a screen."""
    # Where matplotlib keeps its fonts; it is not imported for them.
    folder = Path(find_spec("matplotlib").origin).parent / "mpl-data/fonts/ttf"
    face = ImageFont.load_default(size) if font == len(FONTS) else ImageFont.truetype(folder / FONTS[font], size)
    image = Image.new("L", (size * (len(text) + 1), 2 * size))
    ImageDraw.Draw(image).text((size // 2, size // 4), text, fill=255, font=face)
    return image.crop(image.getbbox())


@lru_cache(maxsize=4096)
def _natural_width(text: str, font: int, size: int) -> float:
    printed = _printed(text, font, size)
    return HEIGHT * printed.width / printed.height


@lru_cache(maxsize=16384)
def _drawn(text: str, font: int, size: int, width: int) -> NDArray[np.float32]:
    return _vector(_printed(text, font, size), width)
