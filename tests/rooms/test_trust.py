"""Neighbours are RDKit's, a domain score is a share, an interval or a label set holds the truth as often as it says."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rdkit import Chem, DataStructs
from scipy import stats
from sklearn.linear_model import LogisticRegression

from molmed.chem.fingerprints import morgan_bits
from molmed.trust.calibration import Platt
from molmed.trust.conformal import half_width, thresholds
from molmed.trust.domain import own_similarities, score
from molmed.trust.neighbours import Neighbours

SMILES = (
    "CCO", "CCCO", "CCCCO", "OCC", "c1ccccc1O", "c1ccccc1N", "Cc1ccccc1O", "CC(=O)Oc1ccccc1C(=O)O", "C1CCCCC1",
    "CCN(CC)CC", "c1ccncc1", "Cc1ccncc1", "CC(=O)O", "OC(=O)C", "CC(=O)N", "N", "O", "FC(F)(F)c1ccccc1",
)  # fmt: skip


def random_bits(n: int, seed: int, n_bits: int = 256, density: float = 0.1) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return np.packbits(rng.random((n, n_bits)) < density * rng.random((n, 1)) * 2, axis=1)


def vectors(bits: np.ndarray) -> list[DataStructs.ExplicitBitVect]:
    made = []
    for row in np.unpackbits(bits, axis=1):
        vector = DataStructs.ExplicitBitVect(len(row))
        vector.SetBitsFromList(np.flatnonzero(row).tolist())
        made.append(vector)
    return made


def by_rdkit(known: np.ndarray, queries: np.ndarray) -> np.ndarray:
    """(queries, known) similarities."""
    theirs = vectors(known)
    return np.asarray([DataStructs.BulkTanimotoSimilarity(q, theirs) for q in vectors(queries)])


def assert_rdkits(known: np.ndarray, queries: np.ndarray, k: int) -> None:
    rows, similarity = Neighbours(known).nearest(queries, k)
    theirs = by_rdkit(known, queries)
    expected = np.argsort(-theirs, axis=1, kind="stable")[:, :k]  # best first; of equal ones the lower row
    np.testing.assert_array_equal(rows, expected)
    np.testing.assert_array_equal(similarity, np.take_along_axis(theirs, expected, axis=1))


@pytest.mark.parametrize("k", [1, 2, 5, 300, 1000])
def test_the_nearest_are_rdkits_to_the_last_bit(k: int) -> None:
    assert_rdkits(random_bits(300, 0), random_bits(80, 1), k)


@pytest.mark.parametrize("k", [1, 3])
def test_the_nearest_molecules_are_rdkits(k: int) -> None:
    bits = morgan_bits([Chem.MolFromSmiles(s) for s in SMILES])
    assert_rdkits(bits, bits, k)


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 40), st.integers(1, 12), st.integers(1, 6), st.sampled_from([8, 24, 64, 136]), st.integers(0, 99))
def test_widths_and_sizes_do_not_matter(n: int, q: int, k: int, n_bits: int, seed: int) -> None:
    """Few bits make many ties and empty fingerprints."""
    assert_rdkits(random_bits(n, seed, n_bits, 0.2), random_bits(q, seed + 1, n_bits, 0.2), k)


def test_of_equal_similarities_the_lower_row_comes_first() -> None:
    one = random_bits(1, 3, density=0.5)
    known = np.concatenate([random_bits(2, 4), one, one, one])
    for k in (1, 2, 3):
        rows, similarity = Neighbours(known).nearest(one, k)
        assert rows.tolist() == [[2, 3, 4][:k]]
        assert similarity.tolist() == [[1.0] * k]


def test_similarities_that_differ_in_the_eighth_digit_are_no_tie() -> None:
    """2047 / 2048 of 4,096 bits against 2046 / 2047: equal in single precision to seven digits."""
    query = np.zeros((1, 4096), dtype=np.uint8)
    query[0, :2048] = 1
    known = np.zeros((2, 4096), dtype=np.uint8)
    known[0, :2046], known[1, :2047] = 1, 1
    rows, similarity = Neighbours(np.packbits(known, axis=1)).nearest(np.packbits(query, axis=1))
    assert rows.tolist() == [[1]]
    assert similarity[0, 0] == 2047 / 2048


def test_many_queries_are_worked_on_in_pieces_and_come_back_whole() -> None:
    """3,000 against 500 is more than one tile."""
    known, queries = random_bits(500, 5), random_bits(3000, 6)
    rows, similarity = Neighbours(known).nearest(queries, 2)
    for start in (0, 777, 2990):
        alone = Neighbours(known).nearest(queries[start : start + 7], 2)
        np.testing.assert_array_equal(rows[start : start + 7], alone[0])
        np.testing.assert_array_equal(similarity[start : start + 7], alone[1])


def test_an_empty_fingerprint_is_like_nothing() -> None:
    known = np.concatenate([np.zeros((1, 32), dtype=np.uint8), random_bits(3, 0)])
    rows, similarity = Neighbours(known).nearest(np.zeros((2, 32), dtype=np.uint8), 2)
    assert rows.tolist() == [[0, 1], [0, 1]]
    assert (similarity == 0).all()
    assert (by_rdkit(known, known[:1]) == 0).all()


def test_no_queries_or_no_fingerprints_give_no_neighbours() -> None:
    known = random_bits(3, 0)
    for neighbours, queries, shape in (
        (Neighbours(known), known[:0], (0, 2)),
        (Neighbours(known[:0]), known, (3, 0)),
    ):
        rows, similarity = neighbours.nearest(queries, 2)
        assert rows.shape == similarity.shape == shape


def test_queries_of_another_width_are_refused() -> None:
    with pytest.raises(ValueError, match="16 bytes, fingerprints of 32"):
        Neighbours(random_bits(3, 0)).nearest(random_bits(3, 0, n_bits=128))


def test_searching_changes_no_fingerprint() -> None:
    known, queries = random_bits(20, 0), random_bits(5, 1)
    before = known.copy(), queries.copy()
    Neighbours(known).nearest(queries, 3)
    np.testing.assert_array_equal(known, before[0])
    np.testing.assert_array_equal(queries, before[1])


@pytest.mark.parametrize("n", [0, 1, 2, 3, 60, 700])
def test_the_own_similarities_are_those_to_the_nearest_other(n: int) -> None:
    """Repeats are others; 700 is more than one tile."""
    bits = random_bits(n, 8)
    if n >= 3:
        bits[2] = bits[0]
    own = own_similarities(bits)
    theirs = by_rdkit(bits, bits) if n else np.zeros((0, 0))
    np.fill_diagonal(theirs, 0)
    expected = np.sort(theirs.max(axis=1)) if n > 1 else np.zeros(n)
    np.testing.assert_array_equal(own, expected)
    if n >= 3:
        assert (own[-2:] == 1).all()


def test_a_domain_score_is_the_share_of_training_compounds_that_lie_no_closer() -> None:
    own = np.asarray([0.2, 0.3, 0.3, 0.8])
    asked = np.asarray([0.0, 0.19, 0.2, 0.3, 0.5, 0.8, 1.0])
    np.testing.assert_array_equal(score(asked, own), [0, 0, 0.25, 0.75, 0.75, 1, 1])
    np.testing.assert_array_equal(score(asked, np.zeros(0)), np.zeros(7))


@given(st.lists(st.floats(0, 1), max_size=20), st.lists(st.floats(0, 1), max_size=20))
def test_a_domain_score_lies_between_0_and_1_and_grows(own: list[float], nearest: list[float]) -> None:
    found = score(np.sort(np.asarray(nearest, dtype=float)), np.sort(np.asarray(own, dtype=float)))
    assert ((found >= 0) & (found <= 1)).all()
    assert (np.diff(found) >= 0).all()


@pytest.mark.parametrize(
    ("n", "level", "rank"), [(9, 0.9, 9), (10, 0.9, 10), (19, 0.9, 18), (99, 0.9, 90), (3, 0.5, 2)]
)
def test_the_half_width_is_an_order_statistic(n: int, level: float, rank: int) -> None:
    residuals = np.random.default_rng(0).permutation(np.arange(1.0, n + 1)) * np.where(np.arange(n) % 2, 1, -1)
    assert half_width(residuals, level) == rank
    assert half_width(np.concatenate([residuals, [np.nan] * 5]), level) == rank


@pytest.mark.parametrize(("n", "level"), [(0, 0.9), (8, 0.9), (18, 0.95), (5, 1.0)])
def test_too_few_residuals_make_an_endless_interval(n: int, level: float) -> None:
    assert half_width(np.ones(n), level) == math.inf
    assert math.isfinite(half_width(np.ones(200), 0.95))


@pytest.mark.parametrize(("n", "level"), [(10, 0.9), (30, 0.8), (200, 0.9)])
def test_an_interval_holds_a_new_measurement_as_often_as_it_says(n: int, level: float) -> None:
    """4,000 times n residuals and a new one of the same skew, heavy-tailed law; exactly ceil((n+1) level) / (n+1)."""
    rng = np.random.default_rng(1)
    draws = rng.standard_t(2, size=(4000, n + 1)) ** 3
    held = sum(abs(row[-1]) <= half_width(row[:-1], level) for row in draws)
    low, high = stats.binom.ppf([0.0005, 0.9995], 4000, math.ceil((n + 1) * level) / (n + 1))
    assert low <= held <= high


@pytest.mark.parametrize("digits", [1, 12], ids=["many ties", "no ties"])
def test_a_label_set_holds_each_class_as_often_as_it_says(digits: int) -> None:
    """2,000 repeats, 60 rows of which a quarter is positive; forests give probabilities with many ties.

    Without ties about 15 positives hold it at most 1/11 too often.
    """
    rng = np.random.default_rng(2)
    held, asked = np.zeros(2), np.zeros(2)
    for _ in range(2000):
        labels = (rng.random(61) < 0.25).astype(float)
        p = np.round(1 / (1 + np.exp(-(labels * 2 - 1.5 + rng.normal(size=61)))), digits)
        zero, one = thresholds(labels[:-1], p[:-1], 0.8)
        truth = int(labels[-1])
        held[truth] += (p[-1] >= one) if truth else (1 - p[-1] >= zero)
        asked[truth] += 1
    for truth in (0, 1):
        assert held[truth] >= stats.binom.ppf(0.0005, asked[truth], 0.8)
        if digits == 12:
            assert held[truth] <= stats.binom.ppf(0.9995, asked[truth], 0.8 + 1 / 11)


def test_a_row_at_the_threshold_is_in_the_set() -> None:
    """1 - (1 - 0.3) is more than 0.3: taken through it, all rows at the threshold would fall out."""
    p = np.repeat([0.3, 0.9], [10, 10])
    _, one = thresholds(np.ones(20), p, 0.9)
    assert one == 0.3
    zero, _ = thresholds(np.zeros(20), 1 - p, 0.9)
    assert (1 - (1 - p) >= zero).all()


def test_too_few_rows_of_a_class_keep_it_in_every_set() -> None:
    labels, p = np.asarray([0.0] * 30 + [1.0] * 3), np.linspace(0.1, 0.9, 33)
    zero, one = thresholds(labels, p, 0.9)
    assert one == 0
    assert zero > 0
    assert thresholds(np.asarray([np.nan] * 33), p, 0.9) == (0, 0)


def test_a_calibrated_probability_is_the_logistic_fit() -> None:
    rng = np.random.default_rng(0)
    logit = rng.normal(size=2000)
    labels = (rng.random(2000) < 1 / (1 + np.exp(-(0.5 * logit - 0.7)))).astype(float)
    overconfident = 1 / (1 + np.exp(-logit))
    found = Platt.fit(labels, overconfident)
    expected = LogisticRegression(C=1e6).fit(logit[:, None], labels)
    assert found.slope == pytest.approx(expected.coef_[0, 0], rel=1e-3)
    assert found.intercept == pytest.approx(expected.intercept_[0], rel=1e-3)
    np.testing.assert_allclose(found(overconfident), expected.predict_proba(logit[:, None])[:, 1], rtol=1e-3)
    assert abs(found(overconfident).mean() - labels.mean()) < 1e-3


def test_calibration_keeps_the_order_and_unknown_values() -> None:
    p = np.asarray([0.0, 0.2, 0.2, 0.7, 1.0, np.nan])
    for platt in (Platt(), Platt(0.4, 1.0), Platt(7.0, -2.0), Platt(1e4, 3.0)):
        calibrated = platt(p)
        assert (np.diff(calibrated[:5]) >= 0).all()
        assert ((calibrated[:5] >= 0) & (calibrated[:5] <= 1)).all()
        assert np.isnan(calibrated[5])


@pytest.mark.parametrize(
    ("labels", "p"),
    [
        ([1.0] * 5, [0.1, 0.2, 0.3, 0.4, 0.5]),
        ([0.0, 0, 1, 1], [0.9, 0.8, 0.2, 0.1]),
        ([], []),
        ([np.nan, 1.0], [0.5, 0.5]),
    ],
    ids=["one class", "turned round", "nothing", "one known"],
)
def test_where_nothing_can_be_calibrated_nothing_changes(labels: list[float], p: list[float]) -> None:
    assert Platt.fit(np.asarray(labels, dtype=float), np.asarray(p, dtype=float)) == Platt()


def test_unknown_labels_do_not_enter_a_calibration() -> None:
    rng = np.random.default_rng(3)
    p, labels = rng.random(50), (rng.random(50) < 0.5).astype(float)
    padded = Platt.fit(np.concatenate([labels, [np.nan, 1.0]]), np.concatenate([p, [0.5, np.nan]]))
    assert padded == Platt.fit(labels, p)
