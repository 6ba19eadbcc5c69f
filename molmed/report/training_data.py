"""What a model has learnt from: rows read, used, rejected; the spread of the values; what an audit found."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from jaxtyping import Float
from markupsafe import Markup

from molmed import draw
from molmed.experiment.run import Run
from molmed.report import numbers, words
from molmed.report.page import Column, Section, block, bullets, definitions, figure, paragraph, section, subtitle, table
from molmed.targets import Target

N_EXAMPLES = 3
"""Rejected rows quoted for each reason."""

MAX_TARGETS = 40
"""Targets in the table of values."""

_COUNTS = {
    "rows read": "rows_read",
    "rows used": "rows_used",
    "for training": "rows_train",
    "held out for the test": "rows_test",
}


def data_section(run: Run) -> Section:
    """The whole section."""
    facts = run.facts
    pairs = {term: numbers.count(int(facts[key])) for term, key in _COUNTS.items() if key in facts}
    pairs["split"] = run.config.split.name or run.task.split
    blocks = [definitions(pairs)]
    if facts.get("said"):
        blocks.append(bullets([sentence(str(said).split("; another one with ")[0]) for said in facts["said"]]))
    return section("Data", *blocks, *_values(run), *_rejected(run.rejected), *audit_blocks(facts.get("audit")))


def measured(run: Run, target: Target) -> tuple[Float[np.ndarray, " train"], Float[np.ndarray, " test"]]:
    """The known measured values of the training and of the test rows, as far as the model keeps them."""
    frame, column = run.predictions, f"{target.name}_measured"
    train, test = np.empty(0), np.empty(0)
    if len(frame):
        train, test = (
            frame.loc[frame["part"] == part, column].to_numpy(dtype=np.float64) for part in ("out_of_fold", "test")
        )
    domain = run.predictor.domain
    if not len(train) and domain is not None:
        train = domain.compounds[f"value_{target.name}"].to_numpy(dtype=np.float64)
    return train[np.isfinite(train)], test[np.isfinite(test)]


def _values(run: Run) -> list[Markup]:
    """How the measured values are spread over training and test rows."""
    pairs = {t: measured(run, t) for t in run.targets[:MAX_TARGETS]}
    pairs = {t: parts for t, parts in pairs.items() if len(parts[0])}
    if not pairs:
        return []
    blocks = [subtitle("Measured values")]
    more = len(run.targets) - len(pairs)
    groups: dict[str, list[Target]] = {}
    for target in pairs:
        groups.setdefault(target.kind, []).append(target)
    for kind, targets in groups.items():
        lines = _numbers_table if kind == "regression" else _classes_table
        blocks.append(lines({t: pairs[t] for t in targets}))
    if more > 0:
        blocks.append(paragraph(f"The other {more} targets are left out."))
    if len(run.targets) == 1:
        (target,) = pairs
        blocks += _figure(target, *pairs[target])
    return blocks


def _numbers_table(pairs: Mapping[Target, tuple[np.ndarray, np.ndarray]]) -> Markup:
    columns = [Column("target"), Column("part"), Column("known", True), Column("mean", True)]
    columns += [Column("standard deviation", True), Column("lowest", True), Column("highest", True)]
    lines = []
    for target, parts in pairs.items():
        name = words.quantity(target.name, target.unit)
        for part, known in zip(("training", "test"), parts, strict=True):
            if len(known):
                places = numbers.decimals([*np.quantile(known, [0.05, 0.95])])
                shown = (known.mean(), known.std(), known.min(), known.max())
                lines.append((name, part, numbers.count(len(known)), *(numbers.fixed(float(v), places) for v in shown)))
    return table(columns, lines)


def _classes_table(pairs: Mapping[Target, tuple[np.ndarray, np.ndarray]]) -> Markup:
    columns = [Column("target"), Column("part"), Column("known", True), Column("positive", True), Column("share", True)]
    lines = []
    for target, parts in pairs.items():
        for part, known in zip(("training", "test"), parts, strict=True):
            if len(known):
                share = numbers.percent(round(float(known.mean()), 2))
                lines.append((target.name, part, numbers.count(len(known)), numbers.count(int(known.sum())), share))
    return table(columns, lines)


def _figure(target: Target, train: np.ndarray, test: np.ndarray) -> list[Markup]:
    if target.kind != "regression":
        return []
    front, behind, names = (test, train, ("test", "training")) if len(test) else (train, None, ("training", ""))
    label = words.quantity(target.name, target.unit)
    svg = draw.distribution(front, behind, label=f"measured {label}", names=names, of="rows")
    return [figure(svg, "Measured values: where the test rows lie outside the training rows, the model extrapolates.")]


def _rejected(rejected: pd.DataFrame) -> list[Markup]:
    if rejected.empty:
        return [paragraph("Every row could be used.")]
    rows = []
    for reason, group in sorted(rejected.groupby("reason"), key=lambda pair: (-len(pair[1]), str(pair[0]))):
        examples = [
            f"row {row}, {id}" + (f": {detail}" if detail else "")
            for row, id, detail in group[["row", "id", "detail"]].head(N_EXAMPLES).itertuples(index=False)
        ]
        rows.append((words.REASONS.get(str(reason), str(reason)), numbers.count(len(group)), block("lines", examples)))
    columns = [Column("reason"), Column("rows", True), Column(f"examples (at most {N_EXAMPLES})")]
    return [subtitle("Rows not used"), table(columns, rows)]


def audit_blocks(audit: Mapping[str, Any] | None) -> list[Markup]:
    """The findings of an audit (`molmed.data.audit`, as plain values), the most severe first; nothing without one."""
    if not audit:
        return []
    found: Sequence[Mapping[str, Any]] = audit.get("findings", [])
    blocks = [subtitle("Audit of the data")]
    lines = [(str(f["severity"]), sentence(str(f["sentence"])), numbers.count(int(f["rows"]))) for f in found]
    if lines:
        blocks.append(table([Column("severity"), Column("found"), Column("rows", True)], lines))
    else:
        blocks.append(paragraph("The audit found nothing."))
    return blocks


def sentence(text: str) -> str:
    """With a capital in front and a full stop behind."""
    text = text.strip()
    return text[:1].upper() + text[1:] + ("" if text.endswith((".", "!", "?")) else ".")
