"""Sets of codes: order and repeats do not count, and whatever training has not seen is one unknown code."""

from molmed.features.codes import Codes


def test_codes_become_sorted_distinct_ids_with_0_for_the_unknown() -> None:
    featurizer = Codes()
    state = featurizer.fit([["b", "a"], ["c", "a"], []])
    assert state == {"vocabulary": ["a", "b", "c"]}
    packed = featurizer.featurize([["c", "a", "c"], [], ["new", "b", "other"]], state)
    assert packed.fields["ids"].tolist() == [1, 3, 0, 2]
    assert packed.offsets["codes"].tolist() == [0, 2, 2, 4]
    assert featurizer.dims(state) == {"n_codes": 4}


def test_the_order_of_the_codes_does_not_matter() -> None:
    featurizer = Codes()
    assert featurizer.fit([["b", "a"]]) == featurizer.fit([["a"], ["b", "a"]])
    state = featurizer.fit([["a", "b"]])
    one, other = featurizer.featurize([["a", "b"]], state), featurizer.featurize([["b", "a", "b"]], state)
    assert one.fields["ids"].tolist() == other.fields["ids"].tolist()
