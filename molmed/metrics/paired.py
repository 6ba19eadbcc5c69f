"""Which of several models are better than which: p-values from paired resamples, Holm's correction, letters.

All models are scored on the same resamples of the same rows. What is resampled are the rows, so what is asked is
whether the difference would hold on other rows of the same kind, by these very models.
"""

import math
from collections.abc import Sequence

import numpy as np
from jaxtyping import Bool, Float

from molmed.metrics.bootstrap import UNDEFINED
from molmed.results import Interval


def difference(value: float, resampled: Float[np.ndarray, " resamples"], rows: int, level: float = 0.95) -> Interval:
    """A difference of two scores with its interval: percentiles of its resamples, a little outside the usual ones.

    nan bounds with fewer than two rows, or where too many resamples have no score. The percentile interval is too
    narrow for few rows, as a normal interval with the biased standard deviation is. Its levels are therefore moved
    out as far as Student's interval with the unbiased one lies outside that. With 4 equal models and 30 rows some
    pair was found different in 5 % of 600 simulated comparisons, with plain percentiles in 9 %; with 300 rows both
    are the same.
    Source: Hesterberg 2015, "What teachers should know about the bootstrap", The American Statistician 69, 371,
    section 4.4 (expanded percentile interval).
    """
    known = _known(resampled, rows)
    if known is None:
        return Interval(value, float("nan"), float("nan"), level)
    from scipy.special import ndtr, stdtrit

    tail = float(ndtr(math.sqrt(rows / (rows - 1)) * stdtrit(rows - 1, (1 - level) / 2)))
    low, high = np.quantile(known, [tail, 1 - tail])
    return Interval(value, float(low), float(high), level)


def p_value(resampled: Float[np.ndarray, " resamples"], rows: int) -> float:
    """Two-sided p-value of "no difference": 1 less the highest level at which `difference` excludes 0.

    Twice the smaller share of resamples on either side of 0, those at 0 counted on both, one added to count and
    number (Davison & Hinkley 1997, section 4.2), moved in as far as `difference` moves its levels out. nan where
    that is nan. Never below 2 / (resamples + 1).
    """
    known = _known(resampled, rows)
    if known is None:
        return float("nan")
    from scipy.special import ndtri, stdtr

    fewer = min(int((known <= 0).sum()), int((known >= 0).sum()))
    tail = min(0.5, (fewer + 1) / (len(known) + 1))
    return float(2 * stdtr(rows - 1, math.sqrt((rows - 1) / rows) * ndtri(tail)))


def _known(resampled: Float[np.ndarray, " resamples"], rows: int) -> np.ndarray | None:
    known = resampled[~np.isnan(resampled)]
    if rows < 2 or len(known) == 0 or len(known) < (1 - UNDEFINED) * len(resampled):
        return None
    return known


def holm(p: Float[np.ndarray, " tests"]) -> Float[np.ndarray, " tests"]:
    """p-values corrected for their number: in at most alpha of all such families is any true "no difference" below it.

    nan stays nan and is no member of the family. Source: Holm 1979, Scand. J. Statist. 6, 65.
    """
    out = np.full(len(p), np.nan)
    known = np.flatnonzero(~np.isnan(p))
    order = known[np.argsort(p[known], kind="stable")]
    raised = p[order] * (len(order) - np.arange(len(order)))
    out[order] = np.minimum(1.0, np.maximum.accumulate(raised)) if len(order) else raised
    return out


def resamples_needed(tests: int, level: float = 0.95) -> int:
    """Resamples with which the smallest p-value, corrected for so many tests, is a quarter of 1 - level at most."""
    return math.ceil(8 * max(tests, 1) / (1 - level))


def letters(differ: Bool[np.ndarray, "models models"], best_first: Sequence[int]) -> list[str]:
    """The compact letter display: two models share a letter if and only if they do not differ.

    Args:
        differ: symmetric; whether two models differ detectably.
        best_first: their order; "a" goes to a group that holds the first.

    Source: Piepho 2004, J. Comput. Graph. Stat. 13, 456 (insert and absorb).
    """
    groups = [frozenset(best_first)]
    place = {model: i for i, model in enumerate(best_first)}
    for i, a in enumerate(best_first):
        for b in best_first[i + 1 :]:
            if differ[a, b]:
                parted = [g - {x} for g in groups if {a, b} <= g for x in (a, b)]
                groups = [g for g in groups if not {a, b} <= g]
                groups += [g for g in dict.fromkeys(parted) if not any(g <= other for other in groups)]
                groups = [g for g in groups if not any(g < other for other in groups)]
    groups.sort(key=lambda group: sorted(place[model] for model in group))
    return ["".join(_letter(n) for n, group in enumerate(groups) if model in group) for model in range(len(best_first))]


def _letter(n: int) -> str:
    """a to z, A to Z, then numbers in brackets."""
    alphabet = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
    return alphabet[n] if n < len(alphabet) else f"[{n + 1}]"
