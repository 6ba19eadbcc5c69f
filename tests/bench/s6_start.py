"""S6: how soon there is an answer: `--help`, and the prediction of one SMILES. Peer: importing chemprop."""

import argparse
import sys
import tempfile
from pathlib import Path

from harness import Row, alternate, keep, process, script

from molmed.data.bundled import nav17
from molmed.experiment.config import Config, ModelConfig
from molmed.experiment.fit import fit
from molmed.train.config import TrainConfig


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--full", action="store_true")
    asked.add_argument("--rounds", type=int, default=3)
    given = asked.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        network = Config(model=ModelConfig("dmpnn"), train=TrainConfig(epochs=1))
        forest = Config(model=ModelConfig("random_forest", encoder={"n_trees": 100}))
        models = {
            kind: fit(nav17(), targets="pAct", config=config).save(folder / f"{kind}.molmed")
            for kind, config in (("D-MPNN", network), ("forest", forest))
        }
        (folder / "one.smi").write_text("CCO\n", encoding="utf-8")
        predict = {
            f"molmed predict, one SMILES, {kind}": process(
                script("molmed"), "predict", model, folder / "one.smi", "--out", folder / "p.csv"
            )
            for kind, model in models.items()
        }
        contenders = {
            "molmed --help": process(script("molmed"), "--help"),
            "molmed catalog": process(script("molmed"), "catalog"),
            **predict,
            "import torch": process(sys.executable, "-c", "import torch"),
            "import chemprop": process(sys.executable, "-c", "import chemprop"),
        }
        taken = alternate(contenders, given.rounds)
        keep("s6_start", [Row(c, s) for c, s in taken.items()], ("import chemprop",))


if __name__ == "__main__":
    main()
