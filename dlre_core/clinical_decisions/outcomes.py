"""What a strategy with two cut-offs would spare patients, and what it would miss."""

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import ArrayLike

from dlre_core.clinical_decisions.dual_cutoffs import GREY_ZONE, NO_SCORE, RULED_IN, RULED_OUT
from dlre_core.statistics.estimates import Estimate, too_few, undefined
from dlre_core.statistics.proportions import proportion

PER = 1000
ZONES = (RULED_OUT, GREY_ZONE, RULED_IN, NO_SCORE)


@dataclass(frozen=True)
class StrategyOutcomes:
    """Counts of a strategy and what follows from them; the unit is the patient.

    ``ruled_out`` holds (cases, controls) below the rule-out cut-off, and so on. Shares are between 0 and 1. Those per
    1,000 patients of the same prevalence: ``avoided`` biopsies, of patients ruled out or in; ``missed`` stages, of
    cases ruled out; ``overcalled`` stages, of controls ruled in. Who is in the grey zone, or has no score, is biopsied.
    """

    ruled_out: tuple[int, int]
    grey_zone: tuple[int, int]
    ruled_in: tuple[int, int]
    no_score: tuple[int, int]
    sensitivity: Estimate
    specificity: Estimate
    npv: Estimate
    ppv: Estimate
    unclassified: Estimate
    avoided: Estimate
    missed: Estimate
    overcalled: Estimate

    @property
    def n(self) -> int:
        """All patients, with a score or without."""
        return sum(self.counts.values())

    @property
    def counts(self) -> dict[str, int]:
        """Cases and controls of every zone, such as ``ruled_out_cases``."""
        names = [zone.replace(" ", "_") for zone in ZONES]
        pairs = {name: getattr(self, name) for name in names}
        return {f"{name}_{kind}": pairs[name][at] for name in names for at, kind in enumerate(("cases", "controls"))}

    @property
    def estimates(self) -> dict[str, Estimate]:
        """The estimates by name."""
        found = {field.name: getattr(self, field.name) for field in fields(self)}
        return {name: value for name, value in found.items() if isinstance(value, Estimate)}


def strategy_outcomes(
    labels: ArrayLike, zones: ArrayLike, *, confidence: float = 0.95, interval: str = "clopper-pearson"
) -> StrategyOutcomes:
    """Biopsies avoided and stages missed, if only those are biopsied whom a strategy does not classify.

    Of N patients, out of whom a strategy rules o out (with o1 cases) and i in (with i0 controls): unclassified
    (N - o - i) / N; avoided 1000 (o + i) / N; missed 1000 o1 / N; overcalled 1000 i0 / N; sensitivity
    (cases - o1) / cases; specificity (controls - i0) / controls; NPV (o - o1) / o; PPV (i - i0) / i. So the
    sensitivity is that of the rule-out cut-off, and the specificity that of the rule-in cut-off.

    Parameters
    ----------
    labels : (n,) of 0 and 1
    zones : (n,) str
        As `dlre_core.clinical_decisions.dual_cutoffs.zones` or `stepwise_zones` gives them.
    confidence : float
    interval : {"clopper-pearson", "wilson", "jeffreys"}

    Returns
    -------
    StrategyOutcomes
        Estimates are NaN with a reason where a class has fewer than five patients. Intervals take the cut-offs as
        given, and the prevalence as that of the patients.

    Raises
    ------
    ValueError
        If a label is neither 0 nor 1, or a zone is none of the four.

    References
    ----------
    Coste J, Jourdain P, Pouchot J. Clin Chem 2006;52:2229-2235. doi:10.1373/clinchem.2006.072629. Clopper CJ, Pearson
    ES. Biometrika 1934;26:404-413. doi:10.1093/biomet/26.4.404.

    Examples
    --------
    >>> labels = [0] * 6 + [1] * 6
    >>> found = strategy_outcomes(labels, ["ruled out"] * 7 + ["grey zone"] * 2 + ["ruled in"] * 3)
    >>> round(found.avoided.value), round(found.missed.value), found.overcalled.value
    (833, 83, 0.0)
    """
    truth, given = np.asarray(labels), np.asarray(zones)
    if not np.isin(truth, (0, 1)).all():
        raise ValueError("labels must be 0 (control) or 1 (case)")
    if unknown := set(given.tolist()) - set(ZONES):
        raise ValueError(f"zones {', '.join(map(repr, sorted(unknown)))} are none of {', '.join(ZONES)}")
    counted = {
        zone: (int(((given == zone) & (truth == 1)).sum()), int(((given == zone) & (truth == 0)).sum()))
        for zone in ZONES
    }
    n, cases = len(truth), int(truth.sum())
    few = too_few(cases, n - cases)

    def share(part: int, whole: int, scale: int = 1) -> Estimate:
        if few or not whole:
            return undefined(few or "nobody to count", interval)
        found = proportion(part, whole, confidence=confidence, method=interval)
        return Estimate(scale * found.value, scale * found.low, scale * found.high, interval)

    (missed, out_right), (in_right, overcalled) = counted[RULED_OUT], counted[RULED_IN]
    out, inside = missed + out_right, in_right + overcalled
    return StrategyOutcomes(
        counted[RULED_OUT],
        counted[GREY_ZONE],
        counted[RULED_IN],
        counted[NO_SCORE],
        sensitivity=share(cases - missed, cases),
        specificity=share(n - cases - overcalled, n - cases),
        npv=share(out_right, out),
        ppv=share(in_right, inside),
        unclassified=share(n - out - inside, n),
        avoided=share(out + inside, n, PER),
        missed=share(missed, n, PER),
        overcalled=share(overcalled, n, PER),
    )
