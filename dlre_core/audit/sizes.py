"""Wrong sizes that show only across the rows of an arm: one n must serve all stage questions."""

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from dlre_core.audit.counts import Fit, best_tables, tables_of_any_size
from dlre_core.audit.prevalence import least_stage
from dlre_core.audit.printed import SHARES, show
from dlre_core.audit.report import Finding
from dlre_core.audit.rows import PrintedRow
from dlre_core.audit.within import ONE_CELL, Explanation

Arm = tuple[str, str, str]
Solution = dict[str, Fit]


@dataclass(frozen=True, eq=False)
class WrongSize:
    """An arm of a cohort whose printed n explains nothing, and the one n that explains every row."""

    rows: tuple[PrintedRow, ...]
    n: int
    fits: Mapping[str, Fit]
    complement_of: int | None = None

    def finding(self) -> Finding:
        """One finding for the arm."""
        first = self.rows[0]
        cases = ", ".join(
            f"{stage} {fit.cases} ({show(100 * fit.cases / fit.n)} %)" for stage, fit in self.fits.items()
        )
        why = (
            f"as do the {self.complement_of} patients found for the other cohort"
            if self.complement_of
            else "searched over all sizes"
        )
        sentence = (
            f"n = {first.n_text} explains the rows of this arm by no whole numbers; n = {self.n} explains "
            f"every one ({why}), with cases {cases}. So n and the prevalences are not this arm's."
        )
        where = {**first.place, "row": None, "stage": None, "cell": "n"}
        return Finding("n_wrong", "error", where, sentence, first.n_text, str(self.n))

    def explanation(self, row: PrintedRow) -> Explanation | None:
        """What stands behind a row, where the arm's size decides that."""
        fit = self.fits.get(row.stage)
        return Explanation((fit,), False, (fit,)) if fit else None


def wrong_sizes(
    rows: Sequence[PrintedRow],
    explained: Mapping[int, Explanation],
    totals: Mapping[int, int],
    largest: int,
) -> dict[int, WrongSize]:
    """Search one n for all rows of an arm where two or more rows do not fit the printed one.

    Parameters
    ----------
    rows : sequence of PrintedRow
    explained : mapping of index in ``rows`` to Explanation
    totals : mapping of least stage to cases of all cohorts together
        From the table of baseline characteristics; may be empty.
    largest : int
        Most patients to search.

    Returns
    -------
    dict
        From index in ``rows`` to the arm's wrong size. Where both cohorts of an arm add up to a
        total, the size found for one fixes that of the other.
    """
    arms: dict[Arm, dict[str, list[int]]] = {}
    for index, row in enumerate(rows):
        arm = row.table, row.method, row.arm.replace(" ", "").lower()
        arms.setdefault(arm, {}).setdefault(row.cohort, []).append(index)
    found: dict[int, WrongSize] = {}
    for cohorts in arms.values():
        for cohort, indices in cohorts.items():
            members = [rows[index] for index in indices]
            bad = [index for index in indices if _unexplained(explained[index])]
            if len(bad) < 2 or len({row.n for row in members}) != 1:
                continue
            solution = _common_solution(members, largest)
            if solution is None:
                continue
            wrong = WrongSize(tuple(members), next(iter(solution.values())).n, solution)
            found |= dict.fromkeys(indices, wrong)
            others = [name for name in cohorts if name != cohort]
            if len(others) == 1:
                partners = cohorts[others[0]]
                other = _complement([rows[index] for index in partners], wrong, totals)
                found |= dict.fromkeys(partners, other) if other else {}
    return found


def _unexplained(explanation: Explanation) -> bool:
    fit = explanation.fit
    return fit is not None and (fit.cost >= ONE_CELL or not explanation.same_patients)


def _informative(row: PrintedRow) -> bool:
    """Rows without an error fit any size."""
    return any(cell is not None and cell.value != 100 for cell in map(row.cells.get, SHARES))


def _common_solution(members: Sequence[PrintedRow], largest: int) -> Solution | None:
    searched: list[tuple[str, dict[int, Fit]]] = []
    for row in filter(_informative, members):
        by_size: dict[int, Fit] = {}
        for fit in tables_of_any_size(row.cells, largest):
            by_size.setdefault(fit.n, fit)
        searched.append((row.stage, by_size))
    if len(searched) < 2:
        return None
    common = set.intersection(*(set(by_size) for _, by_size in searched))
    common = {n for n in common if _nested({stage: by_size[n] for stage, by_size in searched})}
    if not common:
        return None
    n = min(common, key=lambda size: abs(size - (members[0].n or 0)))
    return {stage: by_size[n] for stage, by_size in searched}


def _nested(solution: Mapping[str, Fit]) -> bool:
    """Higher stages have fewer cases."""
    known = sorted((least, fit.cases) for stage, fit in solution.items() if (least := least_stage(stage)) is not None)
    return all(one[1] >= other[1] for one, other in itertools.pairwise(known))


def _complement(members: Sequence[PrintedRow], wrong: WrongSize, totals: Mapping[int, int]) -> WrongSize | None:
    """The other cohort's size, if that and the totals explain all of its rows."""
    printed = members[0].n, wrong.rows[0].n
    if None in printed:
        return None
    n = sum(size or 0 for size in printed) - wrong.n
    fits: Solution = {}
    for row in members:
        total = totals.get(least_stage(row.stage) or -1)
        partner = wrong.fits.get(row.stage)
        if total is None or partner is None or not 0 <= total - partner.cases <= n:
            return None
        best = best_tables(row.cells, n, [total - partner.cases])
        if not best or best[0].missed:
            return None
        fits[row.stage] = best[0]
    return WrongSize(tuple(members), n, fits, wrong.n) if fits else None
