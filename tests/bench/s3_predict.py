"""S3: a library through one D-MPNN of chemprop's default size, whole process. Peer: `chemprop predict`."""

import argparse
import gzip
import tempfile
from pathlib import Path

from harness import Row, alternate, keep, mirror, process, script
from rdkit import Chem, rdBase

from molmed.data.bundled import nav17, nci_library
from molmed.experiment.config import Config, ModelConfig, SplitConfig
from molmed.experiment.fit import fit
from molmed.train.config import TrainConfig


def models(folder: Path) -> tuple[Path, Path]:
    """(our model, chemprop's): a few epochs each, since only their size matters here."""
    nav17().to_csv(folder / "nav17.csv", index=False)
    words = ("-i", folder / "nav17.csv", "-s", "smiles", "--target-columns", "pAct", "-t", "regression")
    process(script("chemprop"), "train", *words, "--epochs", "3", "-o", folder / "chemprop", "--num-workers", "0")()
    config = Config(
        model=ModelConfig("dmpnn", featurizer={"scheme": "chemprop_v2"}),
        train=TrainConfig(epochs=3),
        split=SplitConfig(folds=2),  # so that there are intervals to write when trust is on
    )
    return fit(nav17(), targets="pAct", config=config).save(
        folder / "model.molmed"
    ), folder / "chemprop/model_0/best.pt"


def libraries(folder: Path, full: bool) -> dict[str, tuple[Path, int]]:
    """20,000 rows of RDKit's NCI file four times over (readable ones: the peer stops at others), 100,000 of ZINC."""
    with rdBase.BlockLogs():
        lines = [line.split()[0] for line in nci_library().read_text(encoding="utf-8").splitlines()]
        nci = [text for text in lines if Chem.MolFromSmiles(text) is not None] * 4
    found = {"nci20k": nci}
    root = mirror()
    if full and root is not None:
        with gzip.open(root / "screening" / "zinc250k.smi.gz", "rt", encoding="utf-8") as file:
            found["zinc100k"] = [line.split()[0] for line, _ in zip(file, range(100_000), strict=False)]
    for name, texts in found.items():
        (folder / f"{name}.csv").write_text("smiles\n" + "\n".join(texts) + "\n", encoding="utf-8")
    return {name: (folder / f"{name}.csv", len(texts)) for name, texts in found.items()}


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--full", action="store_true")
    asked.add_argument("--rounds", type=int, default=3)
    given = asked.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        model, theirs = models(folder)
        for library, (path, n) in libraries(folder, given.full).items():
            out = folder / "out.csv"
            ours = (script("molmed"), "predict", model, path, "--out", out)
            peer = (script("chemprop"), "predict", "-i", path, "-s", "smiles", "--model-paths", theirs, "-o", out)
            contenders = {
                "molmed": process(*ours, "--no-trust"),
                "molmed, fp32": process(*ours, "--no-trust", "--precision", "32-true"),
                "molmed, trust columns": process(*ours),
                "chemprop": process(*peer, "--num-workers", "0"),
                "chemprop, C++": process(*peer, "--num-workers", "0", "--use-cuikmolmaker-featurization"),
            }
            taken = alternate(contenders, given.rounds)
            keep(f"s3_predict_{library}", [Row(c, s, n) for c, s in taken.items()], ("chemprop", "chemprop, C++"))


if __name__ == "__main__":
    main()
