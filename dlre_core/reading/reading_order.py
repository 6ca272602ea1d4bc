"""In which order a reader sees the pictures: of each reader's own, and a tenth of them twice."""

import hashlib
from collections.abc import Sequence
from typing import NamedTuple

# One of so many pictures is seen twice.
ONE_IN = 10
# So many others lie between the two looks, where there are as many.
LEAST_BETWEEN = 25


class Look(NamedTuple):
    """Which picture (0-based), and whether it is seen for the first (1) or the second time (2)."""

    picture: int
    look: int


def reading_order(pictures: Sequence[tuple[str, str]], reader: str, seed: int = 0) -> list[Look]:
    """Patients in an order drawn for the reader, pictures of each in one, too; a random tenth once more.

    The draw is by digests: what comes later to a study moves nothing else about, so that reading goes on where it
    stopped.

    Parameters
    ----------
    pictures : sequence of (str, str)
        Patient and image id, each id once.
    reader : str
    seed : int

    Returns
    -------
    list of Look
        Every picture once with look 1, and one in `ONE_IN` of them (rounded up) once more, later, with look 2.
    """

    def rank(*words: str) -> str:
        return hashlib.sha256("\0".join((str(seed), reader, *words)).encode()).hexdigest()

    numbers = range(len(pictures))
    first = sorted(numbers, key=lambda n: (rank("patient", pictures[n][0]), rank("picture", pictures[n][1])))
    again = sorted(numbers, key=lambda n: rank("again", pictures[n][1]))[: -(-len(pictures) // ONE_IN)]
    place = {picture: position for position, picture in enumerate(first)}
    looks = [(float(position), 1, picture) for picture, position in place.items()]
    for picture in again:
        earliest = min(place[picture] + LEAST_BETWEEN, len(first))
        share = int(rank("place", pictures[picture][1])[:8], 16) / 16**8
        looks.append((earliest + share * (len(first) - earliest), 2, picture))
    return [Look(picture, look) for _, look, picture in sorted(looks)]
