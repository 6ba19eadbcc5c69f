"""molmed: drug-discovery molecular modelling, from a SMILES file to ranked, believable predictions.

run = molmed.fit("nav17.csv", smiles="smiles", targets=["pIC50"], model="dmpnn")
run.predict(["CCO", "not a smiles"])
"""

from importlib import import_module
from typing import Any

__version__ = "0.1.0"

# name -> (module, its attribute; "": the module, a room that can be called); nothing is imported before it is used
_DOOR = {
    "read": ("molmed.data.table", "read"),
    "fit": ("molmed.experiment.fit", "fit"),
    "load": ("molmed.experiment.load", "load"),
    "predict": ("molmed.experiment.load", "predict_with"),
    "screen": ("molmed.screen", ""),
    "audit": ("molmed.data.audit", "audit"),
    "compare": ("molmed.experiment.compare", "compare"),
    "compare_stored": ("molmed.experiment.compare", "compare_stored"),
}
__all__ = ["__version__", *_DOOR]


def __getattr__(name: str) -> Any:
    if name not in _DOOR:
        raise AttributeError(f"module 'molmed' has no attribute {name!r}; it has {', '.join(_DOOR)}")
    where, attribute = _DOOR[name]
    module = import_module(where)
    return getattr(module, attribute) if attribute else module


def __dir__() -> list[str]:
    return sorted({*globals(), *_DOOR})
