"""A fit that takes its features from a store is the fit without one, and the second one makes nothing again."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from rdkit import Chem

from molmed.cli import main
from molmed.data.bundled import nav17
from molmed.errors import InputError
from molmed.experiment.config import Config, ModelConfig, SplitConfig
from molmed.experiment.fit import fit
from molmed.experiment.load import load
from molmed.experiment.run import Run
from molmed.features.graph import Graph
from molmed.features.morgan_count import MorganCount
from molmed.train.config import TrainConfig

SPLIT = SplitConfig("scaffold", test=0.2, folds=2, valid=0.1)
TRAIN = TrainConfig(epochs=1, threads=1)
NETWORK = Config(split=SPLIT, model=ModelConfig("dmpnn", encoder={"width": 16}, batch_size=32), train=TRAIN)
TREES = Config(
    split=SPLIT,
    model=ModelConfig("random_forest", features="morgan_count+physchem", encoder={"n_trees": 10, "jobs": 1}),
)
SMILES_READER = Config(split=SPLIT, model=ModelConfig("gru", batch_size=32), train=TRAIN)
REDRAWN = replace(SMILES_READER, model=replace(SMILES_READER.model, featurizer={"randomise": True}))
ENSEMBLE = replace(NETWORK, ensemble=True)


def rows() -> pd.DataFrame:
    """Sulfonamides with a salt, a repeat, two unreadable rows and one without a label among them."""
    table = nav17().iloc[::5].head(120).reset_index(drop=True)
    more = pd.DataFrame(
        {
            "smiles": [table.smiles[3] + ".Cl", table.smiles[5], "C1CC", "", table.smiles[7]],
            "id": ["salt", "repeat", "open", "empty", "unmeasured"],
            "pAct": [5.5, 6.5, 5.0, 5.0, np.nan],
        }
    )
    return pd.concat([table, more], ignore_index=True)


def assert_same(ours: Run, theirs: Run) -> None:
    pd.testing.assert_frame_equal(ours.predictions, theirs.predictions, check_exact=True)
    pd.testing.assert_frame_equal(ours.rejected, theirs.rejected)
    left, right = ours.predictor.model.tensors(), theirs.predictor.model.tensors()
    assert left.keys() == right.keys()
    assert all(np.array_equal(left[name], right[name], equal_nan=True) for name in left)
    assert ours.predictor.model.describe() == theirs.predictor.model.describe()
    assert ours.config == theirs.config  # where the features came from is no part of a model
    a, b = ours.predictor.domain, theirs.predictor.domain
    assert a is not None
    assert b is not None
    np.testing.assert_array_equal(a.bits, b.bits)
    pd.testing.assert_frame_equal(a.compounds, b.compounds)
    moving = {"seconds", "date"}
    assert {k: v for k, v in ours.facts.items() if k not in moving} == {
        k: v for k, v in theirs.facts.items() if k not in moving
    }


@pytest.mark.parametrize("jobs", [1, 2])
@pytest.mark.parametrize(
    "config", [NETWORK, TREES, SMILES_READER, REDRAWN, ENSEMBLE], ids=["dmpnn", "trees", "gru", "redrawn", "ensemble"]
)
def test_the_model_is_the_one_without_a_store(tmp_path: Path, config: Config, jobs: int) -> None:
    table = rows()
    without = fit(table, targets="pAct", config=config)
    for _ in ("made", "found"):
        assert_same(fit(table, targets="pAct", config=config, store=tmp_path / "store", jobs=jobs), without)


class Calls:
    """Texts that RDKit was given to parse, and molecules that featurizers were given."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.parsed: list[str] = []
        self.featurised: list[str] = []
        parse = Chem.MolFromSmiles
        monkeypatch.setattr(Chem, "MolFromSmiles", self._counted(parse, lambda text, *_: self.parsed.append(text)))
        for kind in (Graph, MorganCount):
            seen = self._counted(kind.featurize, lambda _, items, *__: self.featurised.extend(m.text for m in items))
            monkeypatch.setattr(kind, "featurize", seen)

    @staticmethod
    def _counted(work: Callable[..., Any], tell: Callable[..., Any]) -> Callable[..., Any]:
        def counted(*args: Any, **more: Any) -> Any:
            tell(*args)
            return work(*args, **more)

        return counted

    def of(self, structures: set[str]) -> tuple[int, int]:
        """(parsed, featurised) of these structures; the probes of the featurizers are others."""
        made = (sum(text in structures for text in self.parsed), sum(text in structures for text in self.featurised))
        self.parsed.clear()
        self.featurised.clear()
        return made


def test_a_second_fit_neither_parses_nor_featurises(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    table = rows()
    calls = Calls(monkeypatch)
    run = fit(table, smiles="smiles", targets="pAct", config=NETWORK, store=tmp_path)
    structures = {str(s) for s in run.predictions["smiles"]} | set(table["smiles"]) - {""}
    parsed, featurised = calls.of(structures)
    assert parsed >= len(table) - 2
    # each SMILES once, for two folds, the final fit and the test part; the parent of the salt is written otherwise
    assert featurised == 121
    wider = replace(NETWORK, model=replace(NETWORK.model, encoder={"width": 24}), seed=3)
    for config in (NETWORK, wider, replace(wider, split=replace(SPLIT, seed=1, folds=3))):
        fit(table, smiles="smiles", targets="pAct", config=config, store=tmp_path)
        assert calls.of(structures) == (0, 0)
    trees = replace(TREES, model=replace(TREES.model, features="morgan_count"))
    fit(table, smiles="smiles", targets="pAct", config=trees, store=tmp_path)
    parsed, featurised = calls.of(structures)
    assert (parsed, featurised) == (121, 121)  # for features that it has not made yet, but it need not read the rows
    fit(table, smiles="smiles", targets="pAct", config=trees, store=tmp_path)
    assert calls.of(structures) == (0, 0)
    more = table.assign(other=table["pAct"] * 2)  # other labels of the same structures
    fit(more, smiles="smiles", targets=["pAct", "other"], config=NETWORK, store=tmp_path)
    assert calls.of(structures) == (0, 0)


def test_what_only_test_rows_hold_is_unknown_to_the_model(tmp_path: Path) -> None:
    table = rows().iloc[:60].assign(part="0")
    table.loc[:9, "part"] = "1"
    table.loc[0, "smiles"] = "C[Se]c1ccccc1"
    config = replace(SMILES_READER, split=SplitConfig("predefined", test=0.2, folds=0, valid=0.1))
    held_out = replace(config, data=replace(config.data, fold="part"))
    for _ in ("made", "found"):
        for settings, knows in (
            (replace(config, split=replace(config.split, name="random", test=0.0)), True),
            (held_out, False),
        ):
            run = fit(table, targets="pAct", config=settings, store=tmp_path)
            (features,) = run.predictor.model.describe()["slots"]["molecule"]["features"]
            assert ("[Se]" in features["state"]["vocabulary"]) == knows


def test_the_command_line_takes_a_store(tmp_path: Path) -> None:
    file, store = tmp_path / "rows.csv", tmp_path / "store"
    rows().to_csv(file, index=False)
    words = ["train", str(file), "--target", "pAct", "--model", "random_forest", "--tree.n-trees", "10"]
    for name in ("first", "second"):
        assert main([*words, "--store", str(store), "--jobs", "2", "--out", str(tmp_path / name)]) == 0
    assert (store / "store.json").is_file()
    assert str(store) not in (tmp_path / "first" / "config.toml").read_text(encoding="utf-8")
    assert_same(load(tmp_path / "second"), load(tmp_path / "first"))


def test_a_store_that_cannot_be_used_stops_the_fit_with_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "store").write_text("a file", encoding="utf-8")
    with pytest.raises(InputError, match=r"keeping features in .*store: found .*; accepted: .*; name another one"):
        fit(rows(), targets="pAct", config=TREES, store=tmp_path / "store")
