"""S5: memory and marginal cost per row of `molmed screen` from 50,000 rows on; start-up is subtracted and printed."""

import argparse
import gzip
import tempfile
from pathlib import Path

from harness import Row, keep, measured_process, mirror, script
from rdkit import Chem, rdBase

from molmed.data.bundled import nav17, nci_library
from molmed.experiment.config import Config, ModelConfig
from molmed.experiment.fit import fit
from molmed.train.config import TrainConfig


def compounds() -> list[str]:
    """100,000 of ZINC, or where they are not at hand RDKit's NCI library."""
    root = mirror()
    if root is None:
        with rdBase.BlockLogs():
            lines = [line.split()[0] for line in nci_library().read_text(encoding="utf-8").splitlines()]
            return [text for text in lines if Chem.MolFromSmiles(text) is not None]
    with gzip.open(root / "screening" / "zinc250k.smi.gz", "rt", encoding="utf-8") as file:
        return [line.split()[0] for line, _ in zip(file, range(100_000), strict=False)]


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--rows", type=int, nargs="+", default=[50_000, 500_000, 5_000_000])
    given = asked.parse_args()
    pool = compounds()
    rows, memory = [], {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        config = Config(model=ModelConfig("dmpnn"), train=TrainConfig(epochs=1))
        model = fit(nav17(), targets="pAct", config=config).save(folder / "model.molmed")
        for n in (1, *given.rows):
            library = folder / "library.smi"
            with library.open("w", encoding="utf-8") as file:
                file.writelines(f"{pool[i % len(pool)]} {i}\n" for i in range(n))
            words = ("screen", library, "--model", model, "--top", "1000", "--no-trust", "--out", folder / f"out{n}")
            seconds, peak = measured_process(script("molmed"), *words)
            print(f"  {n:>9,} rows {seconds:9.1f} s, {peak:7.0f} MB at the most", flush=True)
            rows.append(Row(f"{n:,} rows", (seconds,), n))
            memory[n] = round(peak)
    start = rows[0].typical
    per_row = {n: (row.typical - start) / n * 1e6 for n, row in zip(given.rows, rows[1:], strict=True)}
    print(f"start-up {start:.2f} s; microseconds a row without it: {', '.join(f'{c:.0f}' for c in per_row.values())}")
    more = {"peak_memory_mb": memory, "start_up_s": start, "microseconds_a_row": per_row}
    keep("s5_scale", rows, (rows[1].name,), more)


if __name__ == "__main__":
    main()
