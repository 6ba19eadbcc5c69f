"""The training compounds a model remembers: for its domain and for the nearest measured neighbour."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
from jaxtyping import Float, UInt8

from molmed.chem import Molecule
from molmed.chem.fingerprints import morgan_bits
from molmed.features.store import Kept
from molmed.targets import Target
from molmed.trust.domain import own_similarities
from molmed.trust.domain import score as domain_score
from molmed.trust.neighbours import Neighbours

RADIUS, N_BITS = 2, 2048
"""Morgan fingerprints of radius 2 (ECFP4), 2048 bits: the field's usual choice for similarity."""

_VALUE = "value_"


@dataclass(frozen=True)
class Domain:
    """The training compounds.

    Args:
        bits: their fingerprints, packed.
        own: their similarities to each other's nearest, ascending (see `molmed.trust.domain`).
        compounds: columns id, smiles, scaffold, and `value_<target>` for each target, nan = unknown.
    """

    bits: UInt8[np.ndarray, "n bytes"]
    own: Float[np.ndarray, " n"]
    compounds: pd.DataFrame

    @cached_property
    def ids(self) -> np.ndarray:
        """The compounds' ids, for look-up by many row numbers at once."""
        return self.compounds["id"].to_numpy(dtype=object)

    @cached_property
    def neighbours(self) -> Neighbours:
        """The index over all of them."""
        return Neighbours(self.bits)

    def dtypes(self, targets: Sequence[Target]) -> dict[str, str]:
        """The columns of `apply` with their pandas dtypes."""
        found = {"domain": "float64"}
        for t in targets:
            found |= {
                f"{t.name}_nearest_id": "object",
                f"{t.name}_nearest_similarity": "float64",
                f"{t.name}_nearest_value": "float64",
            }
        return found

    def apply(self, molecules: Sequence[Molecule], targets: Sequence[Target]) -> dict[str, np.ndarray]:
        """`domain`, and per target `<t>_nearest_id`, `_similarity`, `_value`: one entry per molecule."""
        bits = morgan_bits([m.mol for m in molecules], RADIUS, N_BITS)
        rows, similarity = self.neighbours.nearest(bits)
        out = {"domain": domain_score(similarity[:, 0], self.own)}
        for target in targets:
            value, known, index = self._measured[target.name]
            near, close = rows[:, 0], similarity[:, 0]
            if len(known) < len(value):
                found, some = index.nearest(bits)
                near, close = known[found[:, 0]], some[:, 0]
            out[f"{target.name}_nearest_id"] = self.ids[near]
            out[f"{target.name}_nearest_similarity"] = close
            out[f"{target.name}_nearest_value"] = value[near]
        return out

    @cached_property
    def _measured(self) -> dict[str, tuple[np.ndarray, np.ndarray, Neighbours]]:
        """Target -> its values (nan = unknown), the rows where it is known, and the index over those."""
        found = {}
        for column in self.compounds.columns:
            if column.startswith(_VALUE):
                value = self.compounds[column].to_numpy(dtype=np.float64)
                known = np.flatnonzero(~np.isnan(value))
                index = self.neighbours if len(known) == len(value) else Neighbours(self.bits[known])
                found[column.removeprefix(_VALUE)] = (value, known, index)
        return found


def remember(
    molecules: Sequence[Molecule],
    ids: Sequence[str],
    y: Float[np.ndarray, "rows targets"],
    targets: Sequence[Target],
    kept: Kept | None = None,
) -> Domain:
    """The domain of these training compounds; every target has at least one known value.

    Args:
        kept: the table's molecules in a store, where there is one.
    """
    if kept is None:
        bits = morgan_bits([m.mol for m in molecules], RADIUS, N_BITS)
    else:
        bits = kept.fingerprints(molecules, RADIUS, N_BITS)
    columns: dict[str, object] = {
        "id": list(ids),
        "smiles": [m.smiles for m in molecules],
        "scaffold": [m.scaffold for m in molecules],
    }
    columns |= {f"{_VALUE}{t.name}": y[:, i] for i, t in enumerate(targets)}
    return Domain(bits, own_similarities(bits), pd.DataFrame(columns))
