"""S2: training a D-MPNN of chemprop's default size on nav17, equal rows and epochs. Peer: chemprop, both settings.

Epoch times include the validation. The test RMSE is that of the epoch with the best validation loss.
"""

import argparse
import time
import warnings
from statistics import mean, median, stdev
from typing import Any

import chemprop
import numpy as np
import torch
from chemprop.featurizers.molgraph.molecule import CuikmolmakerMolGraphFeaturizer
from harness import Row, keep
from lightning import pytorch as pl

from molmed.chem import Molecule, read
from molmed.data.bundled import nav17
from molmed.experiment.config import Config, DataConfig, ModelConfig
from molmed.experiment.neural import fit_network
from molmed.train.config import TrainConfig
from molmed.train.observers import Observer


class Epochs(Observer):
    """Seconds of each epoch."""

    def __init__(self) -> None:
        self.seconds: list[float] = []

    def on_epoch(self, epoch: Any) -> None:
        self.seconds.append(epoch.seconds)


class Clock(pl.Callback):
    """Seconds of each epoch of a Lightning run, validation included."""

    def __init__(self) -> None:
        self.seconds: list[float] = []
        self.began = 0.0

    def on_train_epoch_start(self, trainer: Any, module: Any) -> None:
        self.began = time.perf_counter()

    def on_train_epoch_end(self, trainer: Any, module: Any) -> None:
        self.seconds.append(time.perf_counter() - self.began)


def parts(n: int, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(training, validation, test) rows, 8:1:1 at random."""
    order = np.random.default_rng(seed).permutation(n)
    return np.sort(order[: int(0.8 * n)]), np.sort(order[int(0.8 * n) : int(0.9 * n)]), np.sort(order[int(0.9 * n) :])


def ours(smiles: list[str], y: np.ndarray, seed: int, epochs: int, precision: str) -> tuple[list[float], float]:
    train, valid, test = parts(len(y), seed)
    config = Config(
        task="activity",
        seed=seed,
        data=DataConfig(targets=("y",)),
        model=ModelConfig("dmpnn", featurizer={"scheme": "chemprop_v2"}),
        train=TrainConfig(epochs=epochs, precision=precision),
    )
    molecules = [m for m in map(read, smiles) if isinstance(m, Molecule)]
    rows = np.concatenate([train, valid])
    clock = Epochs()
    model, _ = fit_network(
        config,
        {"molecule": [molecules[i] for i in rows]},
        y[rows, None],
        np.ones((len(rows), 1)),
        np.arange(len(train), len(rows)),
        observers=[clock],
    )
    predicted = model.predict({"molecule": [molecules[i] for i in test]})[:, 0]
    return clock.seconds, float(np.sqrt(np.mean((predicted - y[test]) ** 2)))


def theirs(smiles: list[str], y: np.ndarray, seed: int, epochs: int, cpp: bool) -> tuple[list[float], float]:
    pl.seed_everything(seed, verbose=False)
    train, valid, test = parts(len(y), seed)
    kind = chemprop.data.LazyMoleculeDatapoint if cpp else chemprop.data.MoleculeDatapoint
    make = (lambda s, v: kind(s, y=np.array([v]))) if cpp else (lambda s, v: kind.from_smi(s, y=np.array([v])))

    def dataset(rows: np.ndarray) -> Any:
        points = [make(smiles[i], y[i]) for i in rows]
        if cpp:
            return chemprop.data.CuikmolmakerDataset(points, CuikmolmakerMolGraphFeaturizer())
        made = chemprop.data.MoleculeDataset(points)
        made.cache = True  # as its command line does
        return made

    data = [dataset(rows) for rows in (train, valid, test)]
    scaler = data[0].normalize_targets()
    data[1].normalize_targets(scaler)
    loaders = [chemprop.data.build_dataloader(d, batch_size=64, shuffle=i == 0, seed=seed) for i, d in enumerate(data)]
    model = chemprop.models.MPNN(
        chemprop.nn.BondMessagePassing(),
        chemprop.nn.NormAggregation(),
        chemprop.nn.RegressionFFN(output_transform=chemprop.nn.UnscaleTransform.from_standard_scaler(scaler)),
        warmup_epochs=2,
    )
    clock = Clock()
    best = pl.callbacks.ModelCheckpoint(monitor="val_loss", save_top_k=1)
    trainer = pl.Trainer(
        max_epochs=epochs,
        accelerator="cpu",
        logger=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        callbacks=[clock, best],
    )
    trainer.fit(model, loaders[0], loaders[1])
    kept = chemprop.models.MPNN.load_from_checkpoint(best.best_model_path)
    predicted = torch.cat(trainer.predict(kept, loaders[2], weights_only=False)).numpy()[:, 0]
    return clock.seconds, float(np.sqrt(np.mean((predicted - y[test]) ** 2)))


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--full", action="store_true")
    asked.add_argument("--rounds", type=int, default=3)
    given = asked.parse_args()
    warnings.simplefilter("ignore")
    epochs = 40 if given.full else 6
    seeds = range(5 if given.full else given.rounds)
    table = nav17()
    smiles, y = table["smiles"].tolist(), table["pAct"].to_numpy()
    n = int(0.8 * len(y)) + (int(0.9 * len(y)) - int(0.8 * len(y)))
    contenders = {
        "molmed, bf16": lambda seed: ours(smiles, y, seed, epochs, "bf16-mixed"),
        "molmed, fp32": lambda seed: ours(smiles, y, seed, epochs, "32-true"),
        "chemprop": lambda seed: theirs(smiles, y, seed, epochs, False),
        "chemprop, C++": lambda seed: theirs(smiles, y, seed, epochs, True),
    }
    seconds: dict[str, list[float]] = {name: [] for name in contenders}
    rmse: dict[str, list[float]] = {name: [] for name in contenders}
    for seed in seeds:
        for name, run in contenders.items():
            taken, error = run(seed)
            seconds[name].append(median(taken[1:]))  # the first epoch warms up
            rmse[name].append(error)
            print(f"  seed {seed}  {name:<16} {median(taken[1:]):7.3f} s an epoch, test RMSE {error:.3f}", flush=True)
    quality = {}
    for name in ("molmed, bf16", "molmed, fp32"):
        differences = [a - b for a, b in zip(rmse[name], rmse["chemprop"], strict=True)]
        error = stdev(differences) / len(differences) ** 0.5
        quality[name] = {"mean_difference": mean(differences), "standard_error": error, "per_seed": differences}
        print(
            f"{name} less chemprop, test RMSE over {len(differences)} seeds: {mean(differences):+.4f}, SE {error:.4f}"
        )
    rows = [Row(name, tuple(s), n) for name, s in seconds.items()]
    more = {"epochs": epochs, "rmse": rmse, "rmse_less_chemprop": quality, "threads": torch.get_num_threads()}
    keep("s2_train_nav17", rows, ("chemprop", "chemprop, C++"), more)


if __name__ == "__main__":
    main()
