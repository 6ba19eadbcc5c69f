"""Measured values: missing, unreadable, limits, constant, rare classes, crowded at an end, other units, outliers."""

from collections import Counter
from collections.abc import Iterator

import numpy as np
from jaxtyping import Float

from molmed.data.audit.findings import Finding, Severity, finding
from molmed.data.audit.rows import Rows, Values, ordered
from molmed.data.audit.settings import AuditConfig
from molmed.data.audit.words import count, listed, share, verb

FACTORS = (3, 6, 9)
"""Powers of ten between units that are mixed up: nM and µM, nM and mM, nM and M."""

_NEAR_FACTOR = 0.1
"""Two values of one structure are a factor apart if their logarithms are by this close to it; chosen: 25 %."""

_ROBUST = 5.0
"""Robust standard deviations from the median at which a value is far from the others; 1 in 2 million if normal."""

_GAP = 0.25
"""Share of a factor that is free of values between the rest and what is off by that factor; chosen."""

_MODES = 4.0
"""Standard deviations between two groups of values that are called two units; at 4 there is a clear valley between."""

_FAR = 8.0
"""The same for an outlier of no explained kind: measured values have heavier tails than the normal distribution."""


def missing(rows: Rows, settings: AuditConfig) -> Iterator[Finding]:
    """Rows without any value; with several targets the share of the table that is filled."""
    if not rows.targets:
        return
    unknown = {t.name: np.isnan(t.values) for t in rows.targets}
    for target in rows.targets:
        unknown[target.name][[*target.unread, *target.limits]] = False
    empty = np.flatnonzero(np.all(list(unknown.values()), axis=0))
    cells = int(sum(u.sum() for u in unknown.values()))
    if cells == 0:
        return
    n, of = len(empty), len(rows) * len(rows.targets)
    sentence = f"{count(n, 'row')} ({share(n, len(rows))}) {verb(n, 'has', 'have')} no value"
    if len(rows.targets) == 1:
        sentence += f" of {rows.targets[0].name}"
    else:
        lead = f"{sentence} of any of the {len(rows.targets)} targets; " if n else ""
        sentence = f"{lead}{share(cells, of)} of the values of {len(rows.targets)} targets are not known"
    numbers = {name: int(u.sum()) for name, u in unknown.items()}
    yield finding("label_missing", Severity.NOTE, sentence, empty, numbers=numbers)


def unread(rows: Rows, settings: AuditConfig) -> Iterator[Finding]:
    """Cells that are neither a number nor a class, and those that are a limit."""
    for target in rows.targets:
        if n := len(target.unread):
            told = Counter(target.unread.values()).most_common()
            examples = listed([f"{text[:30]!r}" for text, _ in told], 3)
            sentence = f"{count(n, 'value')} of {target.name} cannot be read: {examples}"
            groups = np.asarray(list(target.unread))
            yield finding("label_unreadable", Severity.WARNING, sentence, groups, about=target.name)
        if n := len(target.limits):
            below = sum(text.lstrip("'\" ").startswith(("<", "≤", "=<")) for text in target.limits.values())
            above = sum(text.lstrip("'\" ").startswith((">", "≥", "=>")) for text in target.limits.values())
            sentence = (
                f"{count(n, 'value')} of {target.name} ({share(n, len(rows))}) {verb(n, 'is a limit', 'are limits')},"
                f" not measurements: {below:,} upper (<), {above:,} lower (>); taken as measured they mislead"
            )
            numbers = {"upper": below, "lower": above}
            groups = np.asarray(list(target.limits))
            yield finding("label_censored", Severity.WARNING, sentence, groups, about=target.name, numbers=numbers)


def constant(rows: Rows, settings: AuditConfig) -> Iterator[Finding]:
    """Targets with one value only."""
    for target in rows.targets:
        known = np.flatnonzero(~np.isnan(target.values))
        if len(known) == 0:
            sentence = f"no row has a value of {target.name}"
            yield finding("label_constant", Severity.ERROR, sentence, [], about=target.name)
        elif np.ptp(target.values[known]) == 0:
            sentence = f"every value of {target.name} is {target.text(int(known[0]))}: there is nothing to learn"
            yield finding("label_constant", Severity.ERROR, sentence, [known], about=target.name)


def balance(rows: Rows, settings: AuditConfig) -> Iterator[Finding]:
    """Classes of which there are few rows."""
    for target in rows.targets:
        if target.kind != "classes":
            continue
        known = np.flatnonzero(~np.isnan(target.values))
        found, counts = np.unique(target.values[known], return_counts=True)
        if len(found) < 2:
            continue
        rare = int(np.argmin(counts))
        few, total = int(counts[rare]), len(known)
        if few >= settings.rare * total and few >= _FEW:
            continue
        own = known[target.values[known] == found[rare]]
        name = target.text(int(own[0]))
        sentence = f"{count(few, 'row')} of {total:,} ({share(few, total)}) {verb(few, 'is', 'are')} of class {name}"
        sentence += f" of {target.name}"
        severity = Severity.NOTE
        if few < _FEW:
            severity = Severity.WARNING
            sentence += ": too few to learn from or to score"
        numbers: dict[str, float | int | str] = {"class": name, "rows": few, "of": total}
        yield finding("label_balance", severity, sentence, own, about=target.name, numbers=numbers)


_FEW = 10
"""Rows of a class below which scores mean little; chosen."""


def crowded(rows: Rows, settings: AuditConfig) -> Iterator[Finding]:
    """Many values at the lowest or the highest: the limit of an assay; or many equal values anywhere."""
    for target in rows.targets:
        known = np.flatnonzero(~np.isnan(target.values))
        if target.kind != "numbers" or len(known) < 20:
            continue
        values = target.values[known]
        distinct, counts = np.unique(values, return_counts=True)
        if len(distinct) < 2:
            continue
        usual = float(np.median(counts))
        for end, place in (("lowest", 0), ("highest", -1)):
            n = int(counts[place])
            if n >= max(settings.crowded * len(values), 5) and n >= 3 * usual and len(distinct) > 5:
                own = known[values == distinct[place]]
                limit = "floor" if end == "lowest" else "ceiling"
                sentence = (
                    f"{count(n, 'value')} of {target.name} ({share(n, len(values))}) stand at the {end},"
                    f" {distinct[place]:.6g}: the {limit} of an assay? They are limits then, not measurements"
                )
                numbers: dict[str, float | int | str] = {"end": end, "value": float(distinct[place])}
                yield finding("label_limit", Severity.WARNING, sentence, own, about=target.name, numbers=numbers)
        most = int(np.argmax(counts))
        if counts[most] >= 0.2 * len(values) and 0 < most < len(distinct) - 1:
            own = known[values == distinct[most]]
            n = len(own)
            sentence = f"{count(n, 'value')} of {target.name} ({share(n, len(values))}) are {distinct[most]:.6g}"
            yield finding("label_ties", Severity.NOTE, sentence, own, about=target.name)


def units(rows: Rows, settings: AuditConfig) -> Iterator[Finding]:
    """A column of units that names several."""
    named = Counter(unit for unit in rows.units if unit)
    if len(named) < 2:
        return
    told = ", ".join(f"{unit} {n:,}" for unit, n in named.most_common(6)) + (" and others" if len(named) > 6 else "")
    usual = named.most_common(1)[0][0]
    others = np.asarray([i for i, unit in enumerate(rows.units) if unit and unit != usual])
    sentence = f"the values are in {len(named)} units: {told}; they must not be compared as they stand"
    yield finding("units", Severity.ERROR, sentence, others, numbers=dict(named.most_common(20)))


def off_by_a_unit(rows: Rows, settings: AuditConfig) -> Iterator[Finding]:
    """Values that are a factor of 1,000, 10^6 or 10^9 off: from another value of their structure, or from the rest."""
    for target in rows.targets:
        scale = _scale(target)
        if scale is None:
            continue
        found = {row: note for group in _against_repeats(rows, target, scale) for row, note in group}
        of_repeats = len(found)
        for row, factor in _against_the_rest(scale):
            found.setdefault(row, f"off by about 10^{factor}")
        if found:
            n = len(found)
            sentence = f"{count(n, 'value')} of {target.name} {verb(n, 'is', 'are')} about a factor of 10³, 10⁶ or 10⁹"
            sentence += " off the others, as by another unit"
            sentence += f" ({of_repeats:,} off another value of the same structure)" if of_repeats else ""
            order = sorted(found, key=lambda row: (row >= 0, row))
            notes = {i: found[row] for i, row in enumerate(order)}
            yield finding(
                "unit", Severity.WARNING, sentence, np.asarray(order), about=target.name, notes=notes,
                numbers={"of_repeats": of_repeats},
            )  # fmt: skip


def outliers(rows: Rows, settings: AuditConfig) -> Iterator[Finding]:
    """Values far from all others, as far as no other unit explains them."""
    for target in rows.targets:
        if target.kind != "numbers":
            continue
        scale = _scale(target)
        off = _off(target.scaled)
        explained = {row for row, _ in _against_the_rest(scale)} if scale is not None else set()
        far = [r for r in np.flatnonzero(off > _FAR).tolist() if r not in explained]
        if not far:
            continue
        far.sort(key=lambda r: -float(off[r]))
        n = len(far)
        sentence = (
            f"{count(n, 'value')} of {target.name} {verb(n, 'lies', 'lie')} more than {_FAR:g} robust standard"
            f" deviations from the median, e.g. {target.text(far[0])} in {rows.address(far[0])}"
        )
        yield finding("outlier", Severity.NOTE, sentence, np.asarray(far), about=target.name)


def _robust(values: Float[np.ndarray, " known"]) -> tuple[float, float]:
    """(median, standard deviation from the median absolute one, else from the quartiles, else 0)."""
    if len(values) < 10:
        return 0.0, 0.0
    middle = float(np.median(values))
    spread = 1.4826 * float(np.median(np.abs(values - middle)))
    if spread == 0:
        low, high = np.quantile(values, [0.25, 0.75])
        spread = float(high - low) / 1.349
    return middle, spread


def _off(values: Float[np.ndarray, " rows"]) -> Float[np.ndarray, " rows"]:
    """Distance from the median in robust standard deviations of the values on the same side; nan = unknown.

    A skewed distribution has a wide side, where a value must be farther out to be odd.
    """
    known = ~np.isnan(values)
    middle, whole = _robust(values[known])
    off = np.full(len(values), np.nan)
    if whole == 0:
        return off
    for side in (values <= middle, values >= middle):
        own = known & side
        spread = 1.4826 * float(np.median(np.abs(values[own] - middle)))
        off[own] = np.abs(values[own] - middle) / max(spread, whole / 2)
    return off


def _scale(target: Values) -> np.ndarray | None:
    """The values on a scale on which a factor of 1,000 is 3: decadic logarithms, or such values as they stand.

    None where neither is meant: values of both signs over a wide range, or such as vary little (a percentage).
    """
    known = target.values[~np.isnan(target.values)]
    if target.kind != "numbers" or len(known) < 2:
        return None
    if target.decades:
        return target.scaled
    # pIC50, logP, log S: within 15 of 0 and not spread over more than a few powers of ten
    if np.abs(known).max() <= 15 and known.std() <= 3 and len(np.unique(known)) > 5:
        return target.values
    return None


def _against_repeats(rows: Rows, target: Values, scale: np.ndarray) -> Iterator[list[tuple[int, str]]]:
    """Per structure the rows whose value is a factor off the others' of the same structure.

    Of salts only those with the same counter-ions are compared: a solubility depends on them.
    """
    if not rows.molecules:
        return
    salts = {text: i for i, text in enumerate(dict.fromkeys(rows.stripped.values()), start=1)}
    salt = np.zeros(len(rows), dtype=np.int64)
    salt[list(rows.stripped)] = [salts[text] for text in rows.stripped.values()]
    key = rows.structure * (len(salts) + 1) + salt
    for group in ordered(key, (rows.structure >= 0) & ~np.isnan(scale)):
        middle = _most_agreed(scale[group])
        off = scale[group] - middle
        wrong = [
            (int(r), f"{target.text(int(r))} where another row of the structure has {10**middle:.3g}")
            if target.decades
            else (int(r), f"{target.text(int(r))} where another row of the structure has {middle:.4g}")
            for r, d in zip(group, off, strict=True)
            if any(abs(abs(d) - f) <= _NEAR_FACTOR for f in FACTORS)
        ]
        if wrong:
            yield wrong


def _most_agreed(values: np.ndarray) -> float:
    """The value with the most others within a factor of two; of equally good ones the first."""
    close = (np.abs(values[:, None] - values[None]) <= 0.3).sum(axis=1)
    return float(values[int(np.argmax(close))])


def _against_the_rest(scale: np.ndarray) -> list[tuple[int, int]]:
    """(row, factor) of values that would be among the others if they were a factor larger or smaller.

    Single values by their distance from the median, if they stand apart from the others; a second unit of many rows
    by two groups of values, a factor apart, with a clear valley between them.
    """
    known = np.flatnonzero(~np.isnan(scale))
    values = scale[known]
    middle, spread = _robust(values)
    found: dict[int, int] = {}
    off = np.abs(values - middle)
    ranked = np.sort(off)
    for factor in (f for f in FACTORS if 0 < _ROBUST * spread <= f):
        # the tail of a distribution thins out; what is off by a factor stands beyond a gap
        inside = ranked[ranked < factor - 2 * spread]
        edge = float(inside[-1]) if len(inside) else 0.0
        beyond = ranked[(ranked > edge) & (ranked <= factor + 2 * spread)]
        steps = np.diff(np.concatenate([[edge], beyond]))
        wide = np.flatnonzero(steps >= _GAP * factor)
        if not len(wide):
            continue
        least = max(float(beyond[wide[0]]), _ROBUST * spread)
        for place in np.flatnonzero((off >= least) & (np.abs(off - factor) <= 2 * spread)).tolist():
            found.setdefault(int(known[place]), factor)
    if len(values) >= 30 and len(found) < 0.5 * len(values):
        found |= {row: factor for row, factor in _two_groups(known, values) if row not in found}
    return sorted(found.items())


def _two_groups(known: np.ndarray, values: np.ndarray) -> list[tuple[int, int]]:
    """(row, factor) of the smaller of two groups of values that are a factor apart, if there are two such groups.

    Two normal distributions of one width are fitted from each factor (expectation maximisation); they count if
    they stay that factor apart, to 0.3, with at least `_MODES` widths between them, and neither is empty.
    """
    for factor in FACTORS:
        low = float(np.quantile(values, 0.25))
        for start in (low, low - factor, float(np.quantile(values, 0.75)) - factor):
            means, width, part = np.asarray([start, start + factor]), max(float(values.std()) / 2, 1e-6), 0.5
            for _ in range(60):
                with np.errstate(under="ignore", over="ignore"):
                    logits = ((values - means[0]) ** 2 - (values - means[1]) ** 2) / (2 * width**2)
                    odds = np.clip(logits + np.log(part / (1 - part)), -500, 500)
                upper = 1 / (1 + np.exp(-odds))
                part = float(np.clip(upper.mean(), 1e-6, 1 - 1e-6))
                if not 0 < upper.sum() < len(values):  # one of the two is empty
                    break
                means = np.asarray([(1 - upper) @ values / (1 - upper).sum(), upper @ values / upper.sum()])
                squares = (1 - upper) @ (values - means[0]) ** 2 + upper @ (values - means[1]) ** 2
                width = max(float(np.sqrt(squares / len(values))), 1e-6)
            apart = float(means[1] - means[0])
            sizes = int((upper > 0.5).sum()), int((upper <= 0.5).sum())
            if abs(apart - factor) <= 0.3 and apart >= _MODES * width and min(sizes) >= 5:
                own = known[upper > 0.5] if sizes[0] <= sizes[1] else known[upper <= 0.5]
                return [(row, factor) for row in own.tolist()]
    return []
