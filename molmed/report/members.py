"""What the disagreement of an ensemble's members is worth: does the error grow with it?"""

import numpy as np
import pandas as pd
from markupsafe import Markup

from molmed.metrics import metric
from molmed.report import numbers, words
from molmed.report.honest import values
from molmed.report.page import Column, paragraph, subtitle, table
from molmed.targets import Target

GROUPS, MIN_GROUP = 5, 10
"""Groups of equal size that the rows are cut into by their spread, and rows that a group needs; chosen."""


def member_blocks(rows: pd.DataFrame, target: Target) -> list[Markup]:
    """A sentence and the error by spread; nothing without an ensemble or with too few test rows."""
    if "spread" not in rows:
        return []
    rows = rows[rows["spread"].notna()]
    n_groups = min(GROUPS, len(rows) // MIN_GROUP)
    if n_groups < 2:
        return []
    spread, error = values(rows, "spread"), np.abs(values(rows, "error"))
    rank = metric("spearman")(error, spread)
    name = "rmse" if target.kind == "regression" else "brier"
    groups = np.array_split(np.argsort(spread, kind="stable"), n_groups)
    scores = [metric(name)(values(rows, "measured")[g], values(rows, "predicted")[g]) for g in groups]
    places, spread_places = numbers.decimals(scores), numbers.decimals(spread, 2)
    lines = [
        (
            numbers.between(float(spread[g].min()), float(spread[g].max()), spread_places),
            numbers.count(len(g)),
            numbers.fixed(score, places),
        )
        for g, score in zip(groups, scores, strict=True)
    ]
    unit = target.unit if target.kind == "regression" else ""
    columns = [Column(f"spread ({unit})" if unit else "spread"), Column("test rows", True)]
    columns.append(Column(words.metric_label(name, unit), True))
    lead = (
        "The spread of a prediction is the standard deviation of the members. If it tells sure from unsure predictions,"
        f" the error grows with it: their rank correlation on the test rows is {numbers.fixed(rank, 2)}."
    )
    return [subtitle("Spread of the members"), paragraph(lead), table(columns, lines)]
