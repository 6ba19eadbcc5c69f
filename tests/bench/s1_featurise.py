"""S1: SMILES -> graph arrays on one core, bad rows located. Peers: RDKit's bare parse (the floor), chemprop, PyG."""

import argparse
import gzip
from collections.abc import Sequence

import numpy as np
from chemprop.featurizers import SimpleMoleculeMolGraphFeaturizer
from chemprop.featurizers.molgraph.molecule import CuikmolmakerMolGraphFeaturizer
from harness import Row, alternate, keep, mirror
from rdkit import Chem, rdBase

from molmed.chem import Molecule
from molmed.data.bundled import nci_library
from molmed.features import Chosen, read_molecules
from molmed.features.graph import Graph

CHUNK = 2_000


class Pure(Graph):
    """Our featurizer as it is where the C++ library is not installed."""

    def from_text(self, texts: object, gate: bool) -> None:
        return None


def parse(texts: Sequence[str]) -> None:
    for text in texts:
        Chem.MolFromSmiles(text)


def ours(texts: Sequence[str], featurizer: Graph, standardise: bool) -> None:
    for start in range(0, len(texts), CHUNK):
        found, packed = read_molecules(texts[start : start + CHUNK], standardise, featurizer, {})
        if packed is None:
            featurizer.featurize([m for m in found if isinstance(m, Molecule)], {})
        elif isinstance(packed, Chosen):
            packed.in_memory()  # one array per field, in the order of the rows, as the others have it


def chemprop(texts: Sequence[str]) -> None:
    featurizer = SimpleMoleculeMolGraphFeaturizer()
    for text in texts:
        mol = Chem.MolFromSmiles(text)
        if mol is not None:
            featurizer(mol)


def chemprop_cpp(texts: Sequence[str]) -> None:
    featurizer = CuikmolmakerMolGraphFeaturizer()
    for start in range(0, len(texts), 64):
        featurizer(list(texts[start : start + 64]))


def libraries(full: bool) -> dict[str, list[str]]:
    lines = nci_library().read_text(encoding="utf-8").splitlines()
    found = {"nci": [line.split()[0] for line in lines]}
    folder = mirror()
    if folder is not None:
        n = 50_000 if full else 5_000
        with gzip.open(folder / "screening" / "zinc250k.smi.gz", "rt", encoding="utf-8") as file:
            found["zinc"] = [line.split()[0] for line, _ in zip(file, range(n), strict=False)]
    return found


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--full", action="store_true")
    asked.add_argument("--rounds", type=int, default=3)
    given = asked.parse_args()
    with rdBase.BlockLogs():
        for name, texts in libraries(given.full).items():
            good = [
                t for t in texts if Chem.MolFromSmiles(t) is not None
            ]  # the C++ option of chemprop crashes on others
            contenders = {
                "RDKit parse": lambda t=texts: parse(t),
                "molmed, C++": lambda t=texts: ours(t, Graph(), False),
                "molmed, C++, standardised": lambda t=texts: ours(t, Graph(), True),
                "molmed, pure": lambda t=texts: ours(t, Pure(), False),
                "molmed, pure, standardised": lambda t=texts: ours(t, Pure(), True),
                "chemprop": lambda t=texts: chemprop(t),
                "chemprop, C++": lambda t=good: chemprop_cpp(t),
            }
            taken = alternate(contenders, given.rounds)
            rows = [Row(n, s, len(good) if n == "chemprop, C++" else len(texts)) for n, s in taken.items()]
            atoms = np.mean([Chem.MolFromSmiles(t).GetNumHeavyAtoms() for t in good])
            more = {
                "molecules": len(texts),
                "unreadable": len(texts) - len(good),
                "heavy_atoms": round(float(atoms), 1),
            }
            keep(f"s1_featurise_{name}", rows, ("RDKit parse", "chemprop", "chemprop, C++"), more | {"threads": 1})


if __name__ == "__main__":
    main()
