"""The worst predictions, each compound beside its nearest measured neighbour."""

import numpy as np
import pandas as pd
from markupsafe import Markup

from molmed.chem import Molecule, read
from molmed.chem.fingerprints import morgan_bits
from molmed.experiment.domain import N_BITS, RADIUS, Domain
from molmed.experiment.run import Run
from molmed.report import numbers
from molmed.report.compound import Compound, Neighbour, card
from molmed.report.honest import judged
from molmed.report.page import Column, cards, paragraph, table
from molmed.targets import Target
from molmed.trust.neighbours import Neighbours

N_WORST = 6
"""Worst predictions shown of a target."""


def worst_blocks(rows: pd.DataFrame, target: Target, run: Run, n: int = N_WORST) -> list[Markup]:
    """A sentence and the n rows with the largest errors; `rows` as `honest` gives them."""
    if rows.empty:
        return []
    part, own = judged(rows)
    worst = own.assign(size=own["error"].abs()).sort_values("size", ascending=False, kind="stable").head(n)
    lead = f"The largest differences between prediction and measurement among the {part} rows."
    if "smiles" not in rows:
        return [paragraph(lead), _table(worst, target)]
    lead += " A close neighbour with another value hints at an activity cliff or at a measurement to check."
    return [paragraph(lead), _cards(worst, target, run)]


def _cards(worst: pd.DataFrame, target: Target, run: Run) -> Markup:
    molecules = [m if isinstance(m := read(s), Molecule) else None for s in worst["smiles"]]
    near = _neighbours(molecules, target, run.predictor.domain)
    places = numbers.decimals([*worst["predicted"], *worst["measured"]])
    made = []
    for row, neighbour in zip(worst.to_dict("records"), near, strict=True):
        predicted, measured = float(row["predicted"]), float(row["measured"])
        if target.kind == "binary":
            value, unit = numbers.fixed(predicted, places), "probability of class 1"
            detail = f"measured class {measured:.0f}"
        else:
            value = numbers.fixed(abs(predicted - measured), places)
            unit = f"{target.unit} too {'high' if predicted > measured else 'low'}".strip()
            detail = f"predicted {numbers.fixed(predicted, places)}, measured {numbers.fixed(measured, places)}"
        made.append(
            card(
                Compound(
                    id=str(row["id"]),
                    smiles=str(row["smiles"]),
                    value=value,
                    unit=unit,
                    detail=detail,
                    caption=f"row {row['row']}",
                    neighbour=neighbour,
                )
            )
        )
    return cards(made)


def _neighbours(molecules: list[Molecule | None], target: Target, domain: Domain | None) -> list[Neighbour | None]:
    """The nearest training compound with a known value that is another compound."""
    readable = [m for m in molecules if m is not None]
    if domain is None or not readable:
        return [None] * len(molecules)
    value = domain.compounds[f"value_{target.name}"].to_numpy(dtype=np.float64)
    known = np.flatnonzero(~np.isnan(value))
    rows, similarity = Neighbours(domain.bits[known]).nearest(
        morgan_bits([m.mol for m in readable], RADIUS, N_BITS), k=2
    )
    found = iter(zip(readable, known[rows], similarity, strict=True))
    return [None if m is None else _other(*next(found), target, domain, value) for m in molecules]


def _other(
    molecule: Molecule, rows: np.ndarray, similarity: np.ndarray, target: Target, domain: Domain, value: np.ndarray
) -> Neighbour | None:
    for row, close in zip(rows, similarity, strict=True):
        smiles = str(domain.compounds["smiles"].iloc[row])
        if smiles != molecule.smiles:
            shown = f"{value[row]:.0f}" if target.kind == "binary" else numbers.number(float(value[row]))
            label = "class" if target.kind == "binary" else target.unit or target.name
            return Neighbour(str(domain.ids[row]), smiles, f"{label} {shown}", float(close))
    return None


def _table(worst: pd.DataFrame, target: Target) -> Markup:
    places = numbers.decimals([*worst["predicted"], *worst["measured"]])
    lines = [
        (
            str(row["id"]),
            numbers.fixed(float(row["measured"]), 0 if target.kind == "binary" else places),
            numbers.fixed(float(row["predicted"]), places),
            numbers.fixed(float(row["size"]), places),
        )
        for row in worst.to_dict("records")
    ]
    predicted = "predicted probability" if target.kind == "binary" else "predicted"
    columns = [Column("id"), Column("measured", True), Column(predicted, True), Column("error", True)]
    return table(columns, lines)
