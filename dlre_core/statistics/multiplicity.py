"""Adjust p-values for many tests."""

import numpy as np
from numpy.typing import ArrayLike, NDArray
from statsmodels.stats.multitest import multipletests


def holm(p_values: ArrayLike) -> NDArray[np.float64]:
    """Holm's step-down adjustment; NaN stays NaN and is not counted.

    References
    ----------
    Holm S. Scand J Stat 1979;6:65-70.

    Examples
    --------
    >>> holm([0.01, 0.04, 0.03]).round(2).tolist()
    [0.03, 0.06, 0.06]
    """
    values = np.asarray(p_values, dtype=np.float64)
    result = np.full(values.shape, np.nan)
    present = ~np.isnan(values)
    if present.any():
        result[present] = multipletests(values[present], method="holm")[1]
    return result
