"""Every task of the shelf is a declaration whose names exist, that says what it is for and what it is not for."""

import subprocess
import sys

import pytest

from molmed import catalog
from molmed.features import Featurizer
from molmed.metrics import METRICS
from molmed.tasks import Task

NAMES = catalog.names("tasks")

# Loads the tasks named in argv, then says whether torch came along.
PROBE = """
import sys
from molmed import catalog
for name in sys.argv[1:]:
    catalog.load("tasks", name)
heavy = [m for m in ("torch", "torch_geometric", "lightning_fabric", "rdkit", "sklearn") if m in sys.modules]
print(",".join(heavy))
"""


@pytest.fixture(params=NAMES)
def name(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
def task(name: str) -> Task:
    made = catalog.load("tasks", name)
    assert isinstance(made, Task)
    return made


def test_its_slots_have_different_names(task: Task) -> None:
    names = [slot.name for slot in task.slots]
    assert names
    assert len(set(names)) == len(names)
    assert all(name.isidentifier() for name in names)


def test_its_split_metric_and_head_exist(task: Task) -> None:
    assert task.split in catalog.names("splits")
    assert task.kind in {catalog.load("heads", head).kind for head in catalog.names("heads")}
    assert METRICS[task.metric].kind == task.kind


def test_every_slot_has_a_model_that_reads_its_subject(task: Task) -> None:
    first, *others = task.slots
    assert set(task.encoders) == {slot.name for slot in others}
    for slot in task.slots:
        model = task.model if slot is first else task.encoders[slot.name]
        shelf = "trees" if slot is first and model in catalog.names("trees") else "encoders"
        features = [catalog.load("features", f) for f in catalog.load(shelf, model).features]
        assert slot.subject in {f.subject for f in features if issubclass(f, Featurizer)}, (slot.name, model)


def test_it_says_what_it_is_for_and_what_it_is_not_for(task: Task) -> None:
    for text in (task.intended_use, task.must_not):
        assert len(text.split()) >= 4, text
        assert text == text.strip().rstrip("."), "a clause that a sentence of the model card is built from"
    assert task.intended_use != task.must_not


def test_a_task_about_patients_is_not_for_clinical_decisions(task: Task) -> None:
    if any(slot.subject != "molecule" for slot in task.slots):
        assert "research use only" in task.must_not


def test_a_declaration_cannot_be_changed(task: Task) -> None:
    with pytest.raises(AttributeError):
        task.metric = "mae"  # type: ignore[misc]


def test_declarations_load_no_library() -> None:
    command = [sys.executable, "-W", "error", "-c", PROBE, *NAMES]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == ""
