"""Response of a patient to a molecule: one structure and the patient's columns in one row."""

from molmed.targets import Slot
from molmed.tasks import Task

ENTRY = Task(
    slots=(Slot("molecule"), Slot("patient", subject="columns")),
    kind="regression",
    metric="rmse",
    split="random",
    model="dmpnn",
    encoders={"patient": "mlp"},
    intended_use="research on response models that see the molecule and the patient",
    must_not="clinical decisions: research use only",
)
