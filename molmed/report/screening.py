"""The outcome of a screen: what became of every row, how predictions are spread, and the top hits as cards."""

import math
from collections import Counter
from collections.abc import Mapping
from typing import Literal

import numpy as np
import pandas as pd
from jaxtyping import Float
from markupsafe import Markup

from molmed import draw
from molmed.report import numbers, words
from molmed.report.compound import Compound, Neighbour, card
from molmed.report.page import Column, Section, block, cards, figure, notice, page, paragraph, section, table

Best = Literal["highest", "lowest"]

OUTSIDE = 0.05
"""Domain score below which a hit is called outside: fewer than 1 in 20 training compounds are as far from their own
nearest neighbour as it is from its. Chosen."""

_PREDICTED = ("ok", "warned")


def hits(predictions: pd.DataFrame, target: str, *, n: int = 24, best: Best = "highest") -> pd.DataFrame:
    """The n rows with the best predicted value, best first; equal values in the order of their rows."""
    known = predictions[predictions["status"].isin(_PREDICTED) & predictions[target].notna()]
    return known.sort_values(target, ascending=best == "lowest", kind="stable").head(n)


def hits_section(
    predictions: pd.DataFrame,
    structures: Mapping[str, str],
    *,
    target: str,
    unit: str = "",
    n: int = 24,
    best: Best = "highest",
    level: float = 0.9,
    title: str = "",
) -> Section:
    """The best predicted compounds as cards, each beside its nearest measured neighbour.

    Args:
        predictions: columns of a prediction (row, id, smiles, status, `<t>`; and where there: `<t>_low`,
            `<t>_high`, domain, `<t>_nearest_id`, `<t>_nearest_similarity`, `<t>_nearest_value`, parent).
        structures: id of a measured compound -> its SMILES.
        unit: of the target; "" for a probability.
        level: rate at which the interval holds the truth.
    """
    top = hits(predictions, target, n=n, best=best)
    heading = title or (f"Top {len(top)} hits" if len(top) else "Hits")
    if top.empty:
        return section(heading, notice("No row has a prediction, so there is no hit to show."), anchor="hits")
    places = numbers.decimals(top[target])
    rows = [{str(name): value for name, value in row.items()} for row in top.to_dict("records")]
    made = [
        card(_compound(row, rank, target, unit, level, places, structures)) for rank, row in enumerate(rows, start=1)
    ]
    blocks = [paragraph(_introduction(top, target, best)), *_warning(top, target), cards(made)]
    return section(heading, *blocks, anchor="hits")


def fate_section(predictions: pd.DataFrame, *, library: str, title: str = "What became of every row") -> Section:
    """How many rows of a library have which status and reason, most frequent first."""
    n = len(predictions)
    pairs = zip(predictions["status"].astype(str), predictions["reason"].fillna("").astype(str), strict=True)
    rows = [
        (status, words.REASONS.get(reason, reason), numbers.count(k), _percent_of(k, n), block("bar", k / n))
        for (status, reason), k in sorted(Counter(pairs).items(), key=lambda item: (-item[1], item[0]))
    ]
    columns = [Column("status"), Column("reason"), Column("rows", True), Column("share", True), Column("")]
    lead = f"{library}: {numbers.count(n)} rows read, each with one row in the table of predictions, in order."
    return section(title, paragraph(lead), table(columns, rows))


def spread_figure(
    predictions: pd.DataFrame,
    training: Float[np.ndarray, " rows"],
    *,
    target: str,
    unit: str = "",
    n: int = 24,
    best: Best = "highest",
) -> Markup:
    """The predicted values of a library over the measured ones that the model has learnt from."""
    values = predictions[target].to_numpy(dtype=np.float64)
    if not np.isfinite(values).any():
        return notice("No row has a prediction.")
    last = hits(predictions, target, n=n, best=best)
    svg = draw.distribution(
        values,
        training,
        label=words.quantity(target, unit),
        mark=float(last[target].iloc[-1]) if len(last) else None,
        mark_label=f"hit {len(last)}",
    )
    known = values[np.isfinite(values)]
    middle = numbers.number(float(np.median(known)))
    side = "right" if best == "highest" else "left"
    caption = (
        f"Predicted values of {words.plural(len(known), 'compound')} (median {middle}) and the measured values of "
        f"the training compounds. The hits shown lie on the {side} of the dashed line."
    )
    return figure(svg, caption)


def hits_page(
    predictions: pd.DataFrame,
    structures: Mapping[str, str],
    *,
    target: str,
    when: str,
    unit: str = "",
    library: str = "the library",
    training: Float[np.ndarray, " rows"] | None = None,
    n: int = 24,
    best: Best = "highest",
    level: float = 0.9,
    title: str = "",
) -> str:
    """A whole page on one screen: see `hits_section` for the arguments.

    Args:
        training: measured values of the training compounds, for the distribution.
    """
    measured = np.empty(0) if training is None else training
    spread = section("Predicted values", spread_figure(predictions, measured, target=target, unit=unit, n=n, best=best))
    top = hits_section(predictions, structures, target=target, unit=unit, n=n, best=best, level=level)
    fate = fate_section(predictions, library=library)
    return page(title or f"Screen for {target}", [top, spread, fate], when=when)


def _compound(
    row: Mapping[str, object],
    rank: int,
    target: str,
    unit: str,
    level: float,
    places: int,
    structures: Mapping[str, str],
) -> Compound:
    domain, outside = _domain(row)
    return Compound(
        id=str(row["id"]),
        smiles=_text(row.get("parent")) or _text(row.get("smiles")),
        value=numbers.fixed(_number(row[target]), places),
        unit=unit,
        rank=str(rank),
        detail=_interval(row, target, level, places),
        domain=domain,
        outside=outside,
        caption=f"hit, row {row['row']} of the library",
        neighbour=_neighbour(row, target, unit, structures),
    )


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _number(value: object) -> float:
    return float(value) if isinstance(value, int | float | np.number) else float("nan")


def _interval(row: Mapping[str, object], target: str, level: float, places: int) -> str:
    low, high = _number(row.get(f"{target}_low")), _number(row.get(f"{target}_high"))
    if not (math.isnan(low) or math.isnan(high)):
        return f"{numbers.percent(level)} interval {numbers.between(low, high, places)}"
    labels = row.get(f"{target}_set")
    if isinstance(labels, str):
        shown = labels.replace("|", " or ") if labels else "neither, unlike anything seen"
        return f"{numbers.percent(level)} label set: {shown}"
    return ""


def _domain(row: Mapping[str, object]) -> tuple[str, bool]:
    score = _number(row.get("domain"))
    if math.isnan(score):
        return "", False
    outside = score < OUTSIDE
    return f"{'outside the' if outside else 'in'} domain, {score:.2f}", outside


def _neighbour(row: Mapping[str, object], target: str, unit: str, structures: Mapping[str, str]) -> Neighbour | None:
    similarity = _number(row.get(f"{target}_nearest_similarity"))
    if math.isnan(similarity):
        return None
    id = str(row[f"{target}_nearest_id"])
    measured = numbers.number(_number(row[f"{target}_nearest_value"]))
    return Neighbour(id, structures.get(id, ""), f"{unit or target} {measured}", similarity)


def _introduction(top: pd.DataFrame, target: str, best: Best) -> str:
    text = f"The compounds with the {best} predicted {target}, each beside the measured compound most similar to it."
    if "domain" in top.columns:
        text += (
            " The domain score is the share of training compounds that are no closer to their own nearest neighbour:"
            " 1 is well inside, 0 is farther from all measured compounds than any of them is from the others."
        )
    return text


def _warning(top: pd.DataFrame, target: str) -> list[Markup]:
    if "domain" not in top.columns:
        return []
    outside = int((top["domain"] < OUTSIDE).sum())
    if not outside:
        return []
    text = (
        f"{_of(outside, len(top))} compounds lie outside the domain (score below {OUTSIDE:g}): no measured"
        " compound is like them, the model extrapolates, and neither value nor interval can be relied on."
    )
    return [notice(text)]


def _of(k: int, n: int) -> str:
    return f"All {n}" if k == n else f"{k} of these {n}"


def _percent_of(k: int, n: int) -> str:
    return f"{100 * k / n:.1f} %" if n else numbers.UNKNOWN
