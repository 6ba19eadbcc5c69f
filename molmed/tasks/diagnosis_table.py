"""Diagnosis from one row of an exam table (numbers and categories, with gaps)."""

from molmed.targets import Slot
from molmed.tasks import Task

ENTRY = Task(
    slots=(Slot("patient", subject="columns"),),
    kind="binary",
    metric="auroc",
    split="stratified",
    model="mlp",
    intended_use="research on diagnostic models",
    must_not="clinical decisions: research use only",
)
