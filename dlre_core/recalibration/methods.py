"""Fit a recalibration: an intercept, intercept and slope, a shift of the prior, or isotonic regression."""

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

from dlre_core.recalibration.maps import INTERCEPT, ISOTONIC, PRIOR_SHIFT, RECALIBRATIONS, Recalibration
from dlre_core.statistics.calibration import calibration
from dlre_core.statistics.delong import complete_cases
from dlre_core.statistics.estimates import too_few


def fit_recalibration(
    labels: ArrayLike, probabilities: ArrayLike, method: str, *, prior: float | None = None
) -> Recalibration:
    """Fit a recalibration to patients whose outcome is known.

    ``intercept``: logit q = a + logit p with the a of highest likelihood, so that expected cases equal observed ones.
    ``intercept_slope``: logit q = a + b logit p by logistic regression, by Firth's penalised likelihood where cases and
    controls separate. ``prior_shift``: logit q = logit p + logit(share of cases) - logit(prior), Bayes' rule for a
    network that learned from classes in other shares than patients have. ``isotonic``: the rising step function of
    least squares (pool adjacent violators), with straight lines between its steps.

    Parameters
    ----------
    labels : (n,) of 0 and 1
    probabilities : (n,) float in [0, 1]
        Of patients whom the network was not fitted to; NaN is missing and left out.
    method : {"intercept", "intercept_slope", "prior_shift", "isotonic"}
    prior : float, optional
        Share of cases that the network learned from, for ``prior_shift``; the share of cases itself if not given.

    Returns
    -------
    Recalibration
        With a reason where a class has fewer than five patients.

    Raises
    ------
    ValueError
        If the method is unknown or the prior not between 0 and 1.

    References
    ----------
    Steyerberg EW, et al. Stat Med 2004;23:2567-2586. doi:10.1002/sim.1844 (intercept and slope). Saerens M, Latinne P,
    Decaestecker C. Neural Comput 2002;14:21-41. doi:10.1162/089976602753284446 (prior). Zadrozny B, Elkan C. KDD
    2002:694-699. doi:10.1145/775047.775151 (isotonic).

    Examples
    --------
    Probabilities of 0.5 where one of four is a case:

    >>> found = fit_recalibration([1] * 5 + [0] * 15, [0.5] * 20, "intercept")
    >>> found.apply([0.5]).round(6).tolist()
    [0.25]
    """
    if method not in RECALIBRATIONS:
        raise ValueError(f"method {method!r} is none of {', '.join(RECALIBRATIONS)}")
    if prior is not None and not 0 < prior < 1:
        raise ValueError(f"prior = {prior}: a share between 0 and 1 is needed")
    truth, (p,), _ = complete_cases(labels, probabilities)
    cases = int(truth.sum())
    if few := too_few(cases, len(truth) - cases):
        return Recalibration(method, reason=few)
    if method == ISOTONIC:
        return _isotonic(truth, p)
    if method == PRIOR_SHIFT:
        share = cases / len(truth)
        return Recalibration(method, float(special.logit(share) - special.logit(share if prior is None else prior)))
    found = calibration(truth, p)
    if method == INTERCEPT:
        shift = found.in_the_large
        return Recalibration(method, shift.value) if shift.defined else Recalibration(method, reason=shift.reason)
    if not found.slope.defined:
        return Recalibration(method, reason=found.slope.reason)
    return Recalibration(method, found.intercept.value, found.slope.value)


def _isotonic(truth: NDArray[np.int64], p: NDArray[np.float64]) -> Recalibration:
    # Here, since it takes as long to import as most tables take to make.
    from sklearn.isotonic import IsotonicRegression

    fitted = IsotonicRegression(y_min=0.0, y_max=1.0, out_of_bounds="clip").fit(p, truth)
    places, shares = (tuple(map(float, column)) for column in (fitted.X_thresholds_, fitted.y_thresholds_))
    return Recalibration(ISOTONIC, probabilities=places, shares=shares)
