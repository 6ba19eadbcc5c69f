"""The straight path on real compounds that come with RDKit: three models, the best one's screen, one page."""

import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from molmed.data.bundled import nav17, nci_library
from molmed.experiment.choose import Choice, choose
from molmed.experiment.config import Config, DataConfig, ModelConfig, SplitConfig
from molmed.experiment.run import Run
from molmed.report.demo import Comparison, Contender, Demo, Screened, demo_page
from molmed.screen.loop import screen
from molmed.train.config import TrainConfig
from molmed.train.observers import Observer

TARGET, UNIT = "pAct", "pAct"
TOP = 24
"""Hits drawn on the page."""

_TITLES = {
    "dmpnn": ("D-MPNN", "message passing along the bonds of the molecular graph"),
    "smiles_transformer": ("SMILES Transformer", "attention over SMILES tokens, spelt anew every epoch"),
    "random_forest": ("Random forest", "on Morgan count fingerprints"),
}


@dataclass(frozen=True)
class Demonstrated:
    """What the demonstration left behind.

    Args:
        hits: one row per row of the library, in its order (`hits.parquet`).
        report: the page (`report.html`), which needs no network.
        model: the folder of the best model (`nav17.molmed`).
        seconds: wall time.
    """

    choice: Choice
    hits: Path
    report: Path
    model: Path
    seconds: float


def candidates(quick: bool) -> dict[str, Config]:
    """The three models: name -> configuration. Same rows, same folds, same seed.

    Epochs, the Transformer's size and learning rate, and the number of folds were chosen to fit the time of a
    demonstration, not studied.
    """
    shared = Config(
        task="activity",
        unit=UNIT,
        data=DataConfig(smiles="smiles", id="id", targets=(TARGET,)),
        split=SplitConfig("scaffold", test=0.2, folds=2 if quick else 5, valid=0.1),
    )
    networks = TrainConfig(epochs=12 if quick else 40, patience=0 if quick else 10)
    transformer = {"width": 64, "layers": 2, "heads": 4, "feed_forward": 128}
    return {
        "dmpnn": replace(shared, model=ModelConfig("dmpnn"), train=networks),
        "smiles_transformer": replace(
            shared,
            model=ModelConfig("smiles_transformer", encoder=transformer, featurizer={"randomise": True}, batch_size=32),
            train=networks,
        ),
        "random_forest": replace(
            shared,
            model=ModelConfig("random_forest", features="morgan_count", encoder={"n_trees": 100 if quick else 500}),
        ),
    }


def demonstrate(
    out: str | Path = "demo",
    *,
    quick: bool = False,
    say: Callable[[str], None] | None = None,
    watch: Callable[[str], Sequence[Observer]] | None = None,
    rows: Callable[[int, float], None] | None = None,
) -> Demonstrated:
    """Read, standardise, split, train three models, choose, compare, screen, and write it all down.

    Args:
        out: folder for `hits.parquet`, `report.html`, `nav17.molmed/` and `screen/`.
        quick: fewer folds, epochs and trees: about a minute on two cores.
        say: told a sentence at each step.
        watch: label of a training ("D-MPNN, fold 2 of 5") -> its observers.
        rows: told the number of library rows after each chunk and the share done, and 0, 0 when the screen starts.
    """
    began = time.perf_counter()
    tell = say if say is not None else lambda sentence: None
    folder = Path(out)
    folder.mkdir(parents=True, exist_ok=True)
    table = nav17()
    tell(f"{len(table):,} aryl sulfonamides with measured {TARGET} from RDKit's own files")
    configs = candidates(quick)

    def watched(name: str) -> Callable[[str], Sequence[Observer]]:
        title = _TITLES[name][0]
        tell(f"training: {title}, {_TITLES[name][1]}")
        return lambda label: watch(f"{title}, {label}") if watch is not None else ()

    choice = choose(table, configs, watch=watched)
    trained = time.perf_counter()
    run = choice.run
    model = run.save(folder / "nav17.molmed")
    tell(f"best out of fold: {_TITLES[choice.winner][0]}, kept as {model}")
    if rows is not None:
        rows(0, 0.0)
    done = screen(nci_library(), run, top=TOP, out=folder / "screen", chunk_rows=500, watch=rows)
    hits = folder / "hits.parquet"
    os.replace(folder / "screen" / "predictions.parquet", hits)
    screened = time.perf_counter()
    tell(f"{done.rows:,} rows of RDKit's NCI library screened in {done.seconds:.1f} s")
    timings = {f"training: {_TITLES[n][0]}": float(r.facts["seconds"]) for n, r in choice.runs.items()}
    timings |= {"reading and choosing": trained - began - sum(timings.values()), "screening": screened - trained}
    page = demo_page(_demo(choice, pd.read_parquet(hits), timings, quick), when=time.strftime("%Y-%m-%d"), top=TOP)
    report = folder / "report.html"
    report.write_text(page, encoding="utf-8")
    return Demonstrated(choice, hits, report, model, time.perf_counter() - began)


def _demo(choice: Choice, hits: pd.DataFrame, timings: Mapping[str, float], quick: bool) -> Demo:
    """The page's record of it all."""
    run = choice.run
    domain = run.predictor.domain
    assert domain is not None
    series = {}
    for part in ("out_of_fold", "test"):
        rows = run.predictions[run.predictions["part"] == part]
        series[part.replace("_", "-")] = (_numbers(rows[f"{TARGET}_measured"]), _numbers(rows[TARGET]))
    compounds = domain.compounds
    return Demo(
        TARGET,
        UNIT,
        _data(run, _numbers(compounds[f"value_{TARGET}"])),
        _comparison(choice),
        series,
        _numbers(compounds[f"value_{TARGET}"]),
        Screened(
            "RDKit's NCI library",
            hits,
            dict(zip(compounds["id"], compounds["smiles"], strict=True)),
            run.predictor.calibration.level,
        ),
        run.history,
        timings,
        {name: version(name) for name in ("molmed", "rdkit", "torch", "numpy", "scikit-learn")},
        quick,
    )


def _comparison(choice: Choice) -> Comparison:
    metric = choice.run.task.metric
    differences = choice.differences()
    contenders = []
    for name, run in choice.runs.items():
        title, about = _TITLES[name]
        difference = differences[name][TARGET] if name in differences else None
        out_of_fold, test = run.scores["out_of_fold"][TARGET][metric], run.scores["test"][TARGET]
        contenders.append(Contender(title, about, out_of_fold, test, difference, float(run.facts["seconds"])))
    facts = choice.run.facts
    return Comparison(
        contenders,
        _TITLES[choice.winner][0],
        metric,
        facts["rows_train"],
        facts["rows_test"],
        choice.run.config.split.folds,
        "by Murcko scaffold",
    )


def _data(run: Run, values: np.ndarray) -> dict[str, str]:
    facts = run.facts
    refused = ", ".join(f"{n} {reason}" for reason, n in facts["rejected"].items()) or "none"
    return {
        "rows read": f"{facts['rows_read']:,}",
        "used": f"{facts['rows_used']:,}",
        "not used": refused,
        "training, test": f"{facts['rows_train']:,}, {facts['rows_test']:,} (no scaffold in both)",
        f"{TARGET} of the training compounds": f"{values.min():.2f} to {values.max():.2f}, mean {values.mean():.2f}",
        "SHA-256 of structures and labels": facts["data_sha256"],
        "SHA-256 of the split": facts["split_sha256"],
    }


def _numbers(column: Any) -> np.ndarray:
    return np.asarray(column, dtype=np.float64)
