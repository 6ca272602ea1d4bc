"""Numba loop over curves that may be a side of a box, and nothing else; it has a naive twin in the tests."""

import numba
import numpy as np
from numpy.typing import NDArray


@numba.njit(cache=True, nogil=True)
def sum_along_curves(
    evidence: NDArray[np.float32],
    rows: NDArray[np.intp],
    curves: NDArray[np.intp],
    total: NDArray[np.float32],
) -> None:
    """Sum of an evidence along curves, each put at every column; beyond the edges there is none.

    Parameters
    ----------
    evidence : (height, width) float32
    rows : (n,) intp
        That count.
    curves : (k, n) intp
        Columns of each curve in these rows, from the place where it is put; negative ones lie left of it.
    total : (k, width) float32
        Written: the sum with the curve put at each column.
    """
    width = evidence.shape[1]
    for curve in range(curves.shape[0]):
        sums = total[curve]
        sums[:] = 0
        for k in range(len(rows)):
            # Along a row the inner loop takes many columns at a time.
            away = curves[curve, k]
            first, last = max(0, -away), min(width, width - away)
            along = evidence[rows[k], first + away : last + away]
            for i in range(len(along)):
                sums[first + i] += along[i]
