"""An artefact -> the run it was written from."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from molmed import artefact
from molmed.artefact import Contents
from molmed.chem import standardise
from molmed.data.table import Table
from molmed.errors import ArtefactError, ConfigError, UnknownNameError
from molmed.experiment.calibrate import restore as restore_calibration
from molmed.experiment.config import parse_toml, structure
from molmed.experiment.domain import Domain
from molmed.experiment.ensemble import Ensemble, weights_of_member
from molmed.experiment.fitted import FittedModel, restore_slot
from molmed.experiment.predictor import Predictor
from molmed.experiment.run import Run
from molmed.experiment.scores import restore as restore_scores
from molmed.targets import Slot, Target
from molmed.tasks import Task


def load(folder: str | Path) -> Run:
    """Read, verify and restore a model, a folder or a packed file. No code of it is run.

    Raises:
        ArtefactError: it is damaged, from a newer molmed, or this installation would standardise or featurise
            otherwise than the one that trained it; the message names what does not match.
    """
    folder = Path(folder)
    contents = artefact.read(folder)
    try:
        return _restore(contents, folder)
    except UnknownNameError as error:
        came = f"that it needs {error.came}, which is not on the shelves here"
        remedy = "name the folder of your own entries in MOLMED_SHELVES, or install the molmed it was trained with"
        raise ArtefactError(f"loading the model {folder}", came, error.accepted, remedy) from error
    except (KeyError, TypeError, IndexError, ValueError, ConfigError) as error:
        raise ArtefactError(
            f"loading the model {folder}",
            f"a card that does not describe a model ({type(error).__name__}: {error})",
            "an artefact written by molmed",
            "fetch an undamaged copy or train it again",
        ) from error


def _restore(contents: Contents, folder: Path) -> Run:
    card, tables = contents.card, contents.tables
    if card["standardise"]["version"] != standardise.VERSION:
        raise ArtefactError(
            f"loading the model {folder}",
            f"standardisation version {standardise.VERSION} here",
            f"version {card['standardise']['version']}, which it was trained with",
            "install the molmed it was trained with, or train it again",
        )
    targets = tuple(structure(Target, t) for t in card["targets"])
    slots = tuple(structure(Slot, s) for s in card["slots"])
    domain = None
    if "domain/index" in contents.tensors:
        index = contents.tensors["domain/index"]
        domain = Domain(index["bits"], index["own"], tables["domain/compounds"])
    predictor = Predictor(
        slots,
        card["standardise"]["on"],
        _model(card["model"], contents.tensors["weights"], slots, targets),
        restore_calibration(targets, contents.documents["calibration"]),
        domain,
    )
    return Run(
        predictor,
        parse_toml(contents.texts["config.toml"], f"{folder}/config.toml"),
        structure(Task, card["declared"]),
        scores={part: restore_scores(scores) for part, scores in card["scores"].items()},
        history=tables.get("history", pd.DataFrame()),
        predictions=tables.get("predictions", pd.DataFrame()),
        rejected=tables.get("rejected", pd.DataFrame()),
        facts=card["facts"],
        fold_history=tables.get("fold_history", pd.DataFrame()),
    )


def _model(
    card: Any, weights: dict[str, np.ndarray], slots: tuple[Slot, ...], targets: tuple[Target, ...]
) -> FittedModel:
    if card["family"] == "ensemble":
        each = [(c, weights_of_member(weights, i)) for i, c in enumerate(card["members"])]
        return Ensemble(tuple(_model(c, own, slots, targets) for c, own in each))
    if set(card["slots"]) != {s.name for s in slots}:
        raise ValueError(f"features for the slots {sorted(card['slots'])}, but it declares {[s.name for s in slots]}")
    features = {name: restore_slot(name, stored) for name, stored in card["slots"].items()}
    if card["family"] == "trees":
        from molmed.experiment.forest import restore_trees

        return restore_trees(card, weights, features, targets)
    from molmed.experiment.neural import restore_network  # torch: a forest's process does without

    return restore_network(card, weights, features, slots, targets)


def predict_with(
    model: Run | str | Path, table: Table, *, smiles: str = "", id: str = "", keep: Sequence[str] = ()
) -> pd.DataFrame:
    """One row per row of the table, in order, by a run or a stored model; see `Run.predict`.

    Raises:
        ArtefactError: see `load`.
        InputError: the table cannot be read, or a column is not there.
    """
    run = model if isinstance(model, Run) else load(model)
    return run.predict(table, smiles=smiles, id=id, keep=keep)
