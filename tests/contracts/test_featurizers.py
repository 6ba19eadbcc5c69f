"""Every featurizer is a function of its configuration, its state and the item: nothing else moves an array."""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import fields, is_dataclass
from typing import Any, get_args, get_type_hints

import numpy as np
import pytest

from molmed import catalog
from molmed.chem import read
from molmed.features import SCHEMAS, Featurizer, Packed, concatenate
from molmed.features._probe import digest
from molmed.results import Fault
from molmed.targets import Subject
from molmed.tunable import Choice, ranges

Items = Callable[[str], Sequence[Any]]

DTYPES = {"atom_features": "float32", "bond_features": "float32", "x": "float32", "ids": "int32"}
"""By field; positions (`Field.counts`) are int32. A new field of `SCHEMAS` needs an entry."""

PLANTED: dict[str, Any] = {
    "molecule": read("C[Se]C"),
    "columns": [123456.0, "planted", -98765.0],
    "codes": ["PLANTED"],
}
"""Subject -> an item unlike all others. A new subject needs an entry."""

TRACES = {"molecule": ("[Se]",), "columns": ("planted", "123456", "98765"), "codes": ("PLANTED",)}
"""What of the planted item could be read in a state."""


def configurations() -> Iterator[Any]:
    """Every featurizer with its default, and once with every other value of a choice or switch."""
    for name in catalog.names("features"):
        entry = catalog.load("features", name)
        yield pytest.param(entry(), id=name)
        hints = get_type_hints(entry.Config)
        for field in fields(entry.Config):
            allowed = ranges(entry.Config).get(field.name)
            others = (
                allowed.values if isinstance(allowed, Choice) else (True, False) if hints[field.name] is bool else ()
            )
            for value in others:
                if value != field.default:
                    yield pytest.param(entry(entry.Config(**{field.name: value})), id=f"{name}-{field.name}-{value}")


every = pytest.mark.parametrize("featurizer", list(configurations()))


def assert_equal(left: Packed, right: Packed) -> None:
    assert (left.kind, left.n) == (right.kind, right.n)
    for ours, theirs in ((left.fields, right.fields), (left.offsets, right.offsets)):
        assert ours.keys() == theirs.keys()
        for name in ours:
            assert ours[name].dtype == theirs[name].dtype, name
            np.testing.assert_array_equal(ours[name], theirs[name], err_msg=name)


@every
def test_it_says_what_it_is(featurizer: Featurizer) -> None:
    assert featurizer.version.strip()
    assert featurizer.subject in get_args(Subject)
    assert featurizer.kind in SCHEMAS
    assert is_dataclass(featurizer.Config)
    with pytest.raises(AttributeError):  # frozen
        setattr(featurizer.config, (*[f.name for f in fields(featurizer.Config)], "x")[0], None)


@every
def test_arrays_have_the_dtype_and_shape_of_their_kind(featurizer: Featurizer, items_of: Items) -> None:
    items = items_of(featurizer.subject)
    packed = featurizer.featurize(items, featurizer.fit(items))
    assert (packed.kind, len(packed)) == (featurizer.kind, len(items))
    for name, field in SCHEMAS[featurizer.kind].items():
        array = packed.fields[name]
        assert array.dtype == ("int32" if field.counts else DTYPES[name]), name
        assert array.ndim == (2 if DTYPES.get(name) == "float32" else 1), name
        assert not np.isinf(array).any(), name
        assert featurizer.gaps or not np.isnan(array).any(), name
        if field.counts:
            inside = np.repeat(np.diff(packed.offsets[field.counts]), np.diff(packed.offsets[field.level]))
            assert (array >= 0).all()
            assert (array < inside).all(), f"{name} counts from the item's own first row"
    for level, offsets in packed.offsets.items():
        assert offsets.dtype == np.int64, level
        assert offsets[0] == 0
        assert (np.diff(offsets) >= 0).all()


@every
def test_gaps_stand_where_a_note_says_so_and_nowhere_else(featurizer: Featurizer, items_of: Items) -> None:
    items = [*items_of(featurizer.subject), PLANTED[featurizer.subject]]
    state = featurizer.fit(items)
    packed = featurizer.featurize(items, state)
    notes = featurizer.notes(packed, state)
    assert len(notes) == len(items)
    assert all(n is None or (n.step == "features" and n.reason and n.detail) for n in notes)
    if featurizer.kind == "vector":
        assert [n is not None for n in notes] == np.isnan(packed.fields["x"]).any(axis=1).tolist()
    else:
        assert not any(notes)
        assert not featurizer.gaps
    assert featurizer.notes(featurizer.featurize([], state), state) == []
    assert featurizer.gaps or not any(notes)


@every
def test_dims_are_the_widths_of_the_arrays(featurizer: Featurizer, items_of: Items) -> None:
    items = items_of(featurizer.subject)
    state = featurizer.fit(items)
    packed, dims = featurizer.featurize(items, state), featurizer.dims(state)
    if featurizer.kind == "graph":
        assert dims == {
            "atom_dim": packed.fields["atom_features"].shape[1],
            "bond_dim": packed.fields["bond_features"].shape[1],
        }
    elif featurizer.kind == "vector":
        assert dims == {"dim": packed.fields["x"].shape[1]}
    else:
        (n,) = dims.values()
        assert set(dims) == {f"n_{featurizer.kind}"}
        assert packed.fields["ids"].min() >= 0
        assert packed.fields["ids"].max() < n


@every
def test_an_item_on_its_own_and_in_a_list_gives_equal_arrays(featurizer: Featurizer, items_of: Items) -> None:
    items = items_of(featurizer.subject)
    state = featurizer.fit(items)
    together = featurizer.featurize(items, state)
    assert_equal(concatenate([featurizer.featurize([item], state) for item in items]), together)
    backwards = list(reversed(range(len(items))))
    assert_equal(featurizer.featurize([items[i] for i in backwards], state), together.take(backwards))


@every
def test_nothing_is_kept_between_calls(featurizer: Featurizer, items_of: Items) -> None:
    items = items_of(featurizer.subject)
    state = featurizer.fit(items[:5])
    first = featurizer.featurize(items, state)
    featurizer.featurize(items[5:], featurizer.fit(items[5:]))
    assert featurizer.fit(items[:5]) == state
    assert_equal(featurizer.featurize(items, state), first)
    assert_equal(type(featurizer)(featurizer.config).featurize(items, state), first)


@every
def test_no_items_make_an_empty_pack(featurizer: Featurizer, items_of: Items) -> None:
    items = items_of(featurizer.subject)
    state = featurizer.fit(items)
    empty = featurizer.featurize([], state)
    assert len(empty) == 0
    assert featurizer.unreadable([], state) == []
    assert_equal(concatenate([empty, featurizer.featurize(items, state)]), featurizer.featurize(items, state))


@every
def test_the_state_survives_json(featurizer: Featurizer, items_of: Items) -> None:
    items = items_of(featurizer.subject)
    state = featurizer.fit(items)
    stored = json.loads(json.dumps(state, allow_nan=False))
    assert stored == state
    assert_equal(featurizer.featurize(items, stored), featurizer.featurize(items, state))
    assert featurizer.dims(stored) == featurizer.dims(state)


@every
def test_the_state_knows_only_the_training_items(featurizer: Featurizer, items_of: Items) -> None:
    training = list(items_of(featurizer.subject))
    planted = PLANTED[featurizer.subject]
    state = featurizer.fit(training)
    held_out = [*training, planted]
    assert len(featurizer.featurize(held_out, state)) == len(held_out)  # an unseen value is no error
    assert featurizer.fit(training) == state
    assert not [trace for trace in TRACES[featurizer.subject] if trace in json.dumps(state)]
    # and a state that learns at all would have shown it
    assert (featurizer.fit(held_out) != state) == bool(state)


@every
def test_good_items_are_readable(featurizer: Featurizer, items_of: Items) -> None:
    items = [*items_of(featurizer.subject), PLANTED[featurizer.subject]]
    found = featurizer.unreadable(items, featurizer.fit(items))
    assert found == [None] * len(items)
    assert all(f is None or isinstance(f, Fault) for f in found)


@every
def test_a_generator_draws_only_where_that_is_said(featurizer: Featurizer, items_of: Items) -> None:
    items = items_of(featurizer.subject)
    state = featurizer.fit(items)
    fixed = featurizer.featurize(items, state)
    assert_equal(featurizer.featurize(items, state), fixed)
    drawn = [featurizer.featurize(items, state, np.random.default_rng(seed)) for seed in range(3)]
    for seed in range(3):
        assert_equal(featurizer.featurize(items, state, np.random.default_rng(seed)), drawn[seed])
    different = {b"".join(a.tobytes() for a in pack.fields.values()) for pack in (fixed, *drawn)}
    assert len(different) == (4 if featurizer.randomises() else 1)


@every
def test_featurising_leaves_the_items_as_they_are(featurizer: Featurizer, items_of: Items) -> None:
    items = items_of(featurizer.subject)

    def look() -> list[str]:
        return [i.mol.ToBinary().hex() if featurizer.subject == "molecule" else repr(i) for i in items]

    before = look()
    featurizer.featurize(items, featurizer.fit(items), np.random.default_rng(0))
    assert look() == before


@every
def test_the_probe_of_the_artefact_works_on_it(featurizer: Featurizer, items_of: Items) -> None:
    items = items_of(featurizer.subject)
    state = featurizer.fit(items)
    assert digest(featurizer, state) == digest(featurizer, json.loads(json.dumps(state)))
    assert len(digest(featurizer, state)) == 64


def test_configurations_of_one_featurizer_differ_in_their_probe(items_of: Items) -> None:
    digests: dict[tuple[type, str], str] = {}
    for case in configurations():
        featurizer = case.values[0]
        state = featurizer.fit(items_of(featurizer.subject))
        if not featurizer.randomises():  # which changes the training, not the arrays of an item
            digests[type(featurizer), digest(featurizer, state)] = str(case.id)
    assert len(digests) == len([c for c in configurations() if not c.values[0].randomises()])
