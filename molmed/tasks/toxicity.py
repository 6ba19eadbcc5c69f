"""Toxic or not: one or many binary assay outcomes of a molecule, with missing labels."""

from molmed.targets import Slot
from molmed.tasks import Task

ENTRY = Task(
    slots=(Slot("molecule"),),
    kind="binary",
    metric="auroc",
    split="scaffold",
    model="dmpnn",
    intended_use="early flagging of compounds that deserve a toxicity assay",
    must_not="evidence that a compound is safe, regulatory submissions on its own, or decisions about patients",
)
