"""Which whole numbers of patients stand behind a row of shares."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dlre_core.audit.printed import RATIOS, SHARES, Printed, rounding_steps

# What it costs a table not to explain a cell. Likelihood ratios are printed coarsely and follow
# from the rest; at equal cost, sensitivity and specificity are kept.
COSTS = {"sens": 1.01, "spec": 1.01, "ppv": 1.0, "npv": 1.0, "lr_pos": 0.5, "lr_neg": 0.5}
LARGEST_GRID = 200_000
LARGEST_SEARCH = 1000
KEPT = 25


@dataclass(frozen=True)
class Fit:
    """A two-by-two table and the printed cells that it does not explain."""

    tp: int
    fn: int
    tn: int
    fp: int
    missed: tuple[str, ...] = ()
    steps: int = 1

    @property
    def counts(self) -> tuple[int, int, int, int]:
        """TP, FN, TN, FP."""
        return self.tp, self.fn, self.tn, self.fp

    @property
    def n(self) -> int:
        """Patients."""
        return sum(self.counts)

    @property
    def cases(self) -> int:
        """Patients with the disease."""
        return self.tp + self.fn

    @property
    def cost(self) -> float:
        """How much of the row stays unexplained."""
        return sum(COSTS[cell] for cell in self.missed)


def implied_cells(
    tp: NDArray[np.int64], fn: NDArray[np.int64], tn: NDArray[np.int64], fp: NDArray[np.int64]
) -> dict[str, NDArray[np.float64]]:
    """Exact shares (per cent) and likelihood ratios of two-by-two tables; NaN for 0/0.

    Parameters
    ----------
    tp, fn, tn, fp : (...) int, broadcastable

    Returns
    -------
    dict of (...) float64
    """
    tp, fn, tn, fp = (np.asarray(count, dtype=np.float64) for count in (tp, fn, tn, fp))
    with np.errstate(divide="ignore", invalid="ignore"):
        se, sp = tp / (tp + fn), tn / (tn + fp)
        return {
            "sens": 100 * se,
            "spec": 100 * sp,
            "ppv": 100 * tp / (tp + fp),
            "npv": 100 * tn / (tn + fn),
            "lr_pos": se / (fp / (tn + fp)),
            "lr_neg": (fn / (tp + fn)) / sp,
        }


def cases_that_fit(n: int, prevalence: Printed) -> list[int]:
    """Whole numbers of cases of ``n`` patients that print this prevalence (per cent).

    Examples
    --------
    Of 132 patients, 16.7 % are 22 and nothing else:

    >>> from dlre_core.audit.printed import parse_printed
    >>> cases_that_fit(132, parse_printed("16.7"))
    [22]
    """
    numbers = np.arange(n + 1)
    return [int(x) for x in numbers[rounding_steps(prevalence, 100 * numbers / max(n, 1)) > 0]]


def best_tables(cells: Mapping[str, Printed | None], n: int, cases: Iterable[int]) -> tuple[Fit, ...]:
    """The tables that leave least of a row unexplained.

    Parameters
    ----------
    cells : mapping of cell to Printed
        Of ``sens``, ``spec``, ``ppv``, ``npv``, ``lr_pos``, ``lr_neg``; None is not looked at.
    n : int
        Patients.
    cases : iterable of int
        Numbers of cases to try.

    Returns
    -------
    tuple of Fit
        All of the best (25 at most), least distant first; empty without cases to try.
    """
    found: list[tuple[float, float, Fit]] = []
    for number in cases:
        tp, tn = _grid(number, n - number, cells)
        found += _cheapest(cells, tp, number - tp, tn, n - number - tn)
    if not found:
        return ()
    least = min(entry[0] for entry in found)
    kept = sorted(
        (entry for entry in found if entry[0] <= least + 1e-9),
        key=lambda entry: (entry[1], entry[2].counts),
    )
    return tuple(entry[2] for entry in kept[:KEPT])


def tables_of_any_size(cells: Mapping[str, Printed | None], largest: int) -> list[Fit]:
    """Every table of up to ``largest`` patients that explains all cells.

    Parameters
    ----------
    cells : mapping of cell to Printed
        Needs sensitivity and specificity and, for the search to say anything, PPV and NPV.
    largest : int
        Most patients; searched up to 1000.

    Returns
    -------
    list of Fit
        Empty also where a share needed is not printed.
    """
    if any(cells.get(cell) is None for cell in SHARES):
        return []
    largest = min(largest, LARGEST_SEARCH)
    tp, cases = _pairs(cells["sens"], largest)
    tn, controls = _pairs(cells["spec"], largest)
    i, j = np.nonzero(cases[:, None] + controls[None, :] <= largest)
    tp, fn, tn, fp = tp[i], (cases - tp)[i], tn[j], (controls - tn)[j]
    exact = implied_cells(tp, fn, tn, fp)
    fits = np.ones(len(tp), dtype=bool)
    steps = np.ones(len(tp), dtype=np.int64)
    for cell, printed in _present(cells):
        level = rounding_steps(printed, exact[cell])
        fits &= level > 0
        steps = np.maximum(steps, level)
    return [Fit(int(tp[k]), int(fn[k]), int(tn[k]), int(fp[k]), (), int(steps[k])) for k in np.flatnonzero(fits)]


def _present(cells: Mapping[str, Printed | None]) -> list[tuple[str, Printed]]:
    return [(cell, value) for cell in (*SHARES, *RATIOS) if (value := cells.get(cell)) is not None]


def _grid(
    cases: int, controls: int, cells: Mapping[str, Printed | None]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """All counts of true positives and negatives, or those near the shares in a large study."""
    ranges = []
    for total, printed in ((cases, cells.get("sens")), (controls, cells.get("spec"))):
        numbers = np.arange(total + 1)
        if (cases + 1) * (controls + 1) > LARGEST_GRID and printed is not None:
            distance = np.abs(100 * numbers / max(total, 1) - printed.value)
            near = np.maximum(2 * printed.unit, 100 / max(total, 1))
            numbers = numbers[distance <= near]
        ranges.append(numbers)
    return ranges[0][:, None], ranges[1][None, :]


def _cheapest(
    cells: Mapping[str, Printed | None],
    tp: NDArray[np.int64],
    fn: NDArray[np.int64],
    tn: NDArray[np.int64],
    fp: NDArray[np.int64],
) -> list[tuple[float, float, Fit]]:
    exact = implied_cells(tp, fn, tn, fp)
    shape = np.broadcast_shapes(tp.shape, tn.shape)
    cost, distance = np.zeros(shape), np.zeros(shape)
    levels = {}
    for cell, printed in _present(cells):
        levels[cell] = level = np.broadcast_to(rounding_steps(printed, exact[cell]), shape)
        # A second rounding costs little, so that one rounding is preferred.
        cost += COSTS[cell] * (level == 0) + 0.001 * (level == 2)
        with np.errstate(invalid="ignore"):
            gap = np.abs(exact[cell] - printed.value) / printed.unit
        distance += np.minimum(np.nan_to_num(gap, nan=99, posinf=99), 99)
    best = np.flatnonzero(cost.ravel() <= cost.min(initial=np.inf) + 1e-9)
    best = best[np.argsort(distance.ravel()[best], kind="stable")][:KEPT]
    entries = []
    for k in best:
        i, j = np.unravel_index(k, shape)
        missed = tuple(cell for cell, level in levels.items() if level[i, j] == 0)
        steps = max([int(level[i, j]) for level in levels.values()], default=1)
        fit = Fit(int(tp[i, 0]), int(fn[i, 0]), int(tn[0, j]), int(fp[0, j]), missed, max(steps, 1))
        entries.append((float(cost[i, j]), float(distance[i, j]), fit))
    return entries


def _pairs(printed: Printed | None, largest: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Every (count, total) with a total up to ``largest`` that prints this share."""
    totals = np.arange(1, largest + 1)
    counts = np.arange(largest + 1)
    with np.errstate(divide="ignore", invalid="ignore"):
        shares = np.where(counts[None, :] <= totals[:, None], counts / totals[:, None], np.nan)
    if printed is None:
        return np.array([], dtype=np.int64), np.array([], dtype=np.int64)
    i, j = np.nonzero(rounding_steps(printed, 100 * shares) > 0)
    return counts[j], totals[i]
