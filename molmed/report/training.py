"""How training went: the loss by epoch of the final fit and of the folds."""

import math

import numpy as np
import pandas as pd
from markupsafe import Markup

from molmed import draw
from molmed.experiment.run import Run
from molmed.report import numbers, words
from molmed.report.page import Section, beside, figure, section

MAX_LINES = 6
"""Folds drawn as lines of their own: as many as there are colours."""


def training_section(run: Run) -> Section | None:
    """The whole section; None for a model without epochs."""
    made = [m for m in (_final(run), _folds(run)) if m is not None]
    return section("Training", beside(*made)) if made else None


def _final(run: Run) -> Markup | None:
    history = run.history
    if history.empty:
        return None
    epochs = history["epoch"].to_numpy(dtype=np.int64) + 1
    lines = {"training loss": history["train_loss"].to_numpy(dtype=np.float64)}
    if "valid_loss" in history and history["valid_loss"].notna().any():
        lines["validation loss"] = history["valid_loss"].to_numpy(dtype=np.float64)
    best = np.flatnonzero(history["best"].to_numpy(dtype=bool))
    chosen = int(epochs[best[-1]]) if best.size and "validation loss" in lines else int(epochs[-1])
    seconds = float(history["seconds"].sum()) if "seconds" in history else math.nan
    caption = f"{words.plural(len(epochs), 'epoch').capitalize()} of the final fit"
    caption += f", {numbers.duration(seconds)}." if not math.isnan(seconds) else "."
    if "validation loss" not in lines:
        caption += " The number of epochs is the median of the folds' best; no row was set aside here."
    return figure(draw.curves(epochs, lines, chosen=chosen), caption)


def _folds(run: Run) -> Markup | None:
    history = run.fold_history
    if history.empty:
        return None
    validated = "valid_loss" in history and bool(history["valid_loss"].notna().any())
    column = "valid_loss" if validated else "train_loss"
    wide = history.pivot(index="epoch", columns="fold", values=column)
    what = "member" if run.config.ensemble else "fold"
    lines = {f"{what} {int(fold) + 1}": wide[fold].to_numpy(dtype=np.float64) for fold in wide.columns[:MAX_LINES]}
    epochs = wide.index.to_numpy(dtype=np.int64) + 1
    label = "validation loss" if validated else "training loss"
    return figure(draw.curves(epochs, lines, label=label), _fold_caption(history, what, validated))


def _fold_caption(history: pd.DataFrame, what: str, validated: bool) -> str:
    best = history[history["best"].astype(bool)].groupby("fold")["epoch"].max() + 1
    seconds = float(history["seconds"].sum()) if "seconds" in history else math.nan
    n = history["fold"].nunique()
    caption = f"The {words.plural(n, what)}" + (f", {numbers.duration(seconds)}." if not math.isnan(seconds) else ".")
    if n > MAX_LINES:
        caption += f" The first {MAX_LINES} are drawn."
    if validated:
        caption += " The loss is that of a slice of the training rows; the epochs kept are " + ", ".join(
            str(int(epoch)) for epoch in best
        )
        caption += "."
    return caption
