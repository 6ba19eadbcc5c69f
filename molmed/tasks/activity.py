"""Activity of a molecule in one assay or several, as a number (pIC50, pKi, pAct)."""

from molmed.targets import Slot
from molmed.tasks import Task

ENTRY = Task(
    slots=(Slot("molecule"),),
    kind="regression",
    metric="rmse",
    split="scaffold",
    model="dmpnn",
    intended_use="ranking of compounds for synthesis, purchase or testing, inside the domain of the training compounds",
    must_not="decisions about patients, or replacing the assay it was trained on",
)
