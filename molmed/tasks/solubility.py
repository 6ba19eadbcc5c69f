"""Solubility and other physico-chemical properties of a molecule, as a number."""

from molmed.targets import Slot
from molmed.tasks import Task

ENTRY = Task(
    slots=(Slot("molecule"),),
    kind="regression",
    metric="mae",
    split="scaffold",
    model="dmpnn",
    unit="log mol/L",
    intended_use="ranking of compounds by an estimated property, inside the domain of the training compounds",
    must_not="replacing a measurement that formulation or dosing depends on",
)
