"""Shares with their intervals."""

from molmed.results import Interval


def share(k: int, n: int, level: float = 0.95) -> Interval:
    """k of n with its interval (Wilson 1927); nan for none of none."""
    if n == 0:
        return Interval(float("nan"), float("nan"), float("nan"), level)
    from scipy.stats import binomtest  # 0.5 s

    inside = binomtest(k, n).proportion_ci(level, "wilson")
    return Interval(k / n, float(inside.low), float(inside.high), level)


def promised(held: Interval, level: float) -> str:
    """What a share says beside the one promised: ": fewer than promised", or "" where it does not differ for sure."""
    if held.high < level:
        return ": fewer than promised"
    return ": more than promised" if held.low > level else ""
