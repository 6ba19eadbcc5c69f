"""Batches of any length become chunks of equal length whose shares grow evenly to 1."""

from hypothesis import given
from hypothesis import strategies as st

from molmed.data.sources._cut import cut


@given(st.lists(st.integers(0, 7)), st.integers(1, 9))
def test_nothing_is_lost_and_all_chunks_but_the_last_are_full(sizes: list[int], rows: int) -> None:
    batches = []
    for position, size in enumerate(sizes, 1):
        start = sum(sizes[: position - 1])
        batches.append((list(range(start, start + size)), position / len(sizes)))
    found = list(cut(batches, rows))
    assert [row for part, _ in found for row in part] == list(range(sum(sizes)))
    assert all(len(part) == rows for part, _ in found[:-1])
    assert all(0 < len(part) <= rows for part, _ in found)
    shares = [share for _, share in found]
    assert shares == sorted(shares)
    assert shares[-1:] in ([], [1.0])


def test_the_last_share_is_one_whatever_the_file_says() -> None:
    assert [share for _, share in cut([([1, 2], 0.4), ([3], 0.6)], 2)] == [0.4, 1.0]
    assert [str(share) for _, share in cut([([1, 2, 3], float("nan"))], 2)] == ["nan", "1.0"]


def test_a_share_grows_within_a_batch() -> None:
    assert [share for _, share in cut([([1, 2, 3, 4], 0.5), ([5, 6], 1.0)], 2)] == [0.25, 0.5, 1.0]
