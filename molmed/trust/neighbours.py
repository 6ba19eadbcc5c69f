"""Exact nearest neighbours by Tanimoto similarity of bit fingerprints."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Float, Int64, UInt8, UInt64

_TILE = 1 << 16
"""Similarities worked on at once, about 25 bytes each: 1.6 MB, or 2.5 MB for one query against 100,000. Chosen."""


@dataclass(frozen=True)
class Neighbours:
    """The fingerprints to search, (n, bytes) in `numpy.packbits` order.

    Bits in common are counted 64 at a time and nothing is unpacked: beside the fingerprints one copy of them is
    held, made at the first search, so an object that is searched often should be kept.
    """

    bits: UInt8[np.ndarray, "n bytes"]

    def nearest(
        self, queries: UInt8[np.ndarray, "q query_bytes"], k: int = 1
    ) -> tuple[Int64[np.ndarray, "q k"], Float[np.ndarray, "q k"]]:
        """(row numbers, similarities) of the k most similar, best first; equal similarity: lower row first.

        Two empty fingerprints have similarity 0, as in RDKit. k is cut to the number of fingerprints.

        Raises:
            ValueError: queries of another width.
        """
        if queries.shape[1] != self.bits.shape[1]:
            raise ValueError(f"queries of {queries.shape[1]} bytes, fingerprints of {self.bits.shape[1]}")
        k = min(k, len(self.bits))
        rows = np.zeros((len(queries), k), dtype=np.int64)
        similarities = np.zeros((len(queries), k))
        if k == 0:
            return rows, similarities
        asked = _words(queries)
        for tile in _tiles(len(queries), len(self.bits)):
            similarity = _tanimoto(self._words, self._sizes, asked[:, tile])
            best = _top(similarity, k)
            rows[tile] = best
            similarities[tile] = np.take_along_axis(similarity, best, axis=1)
        return rows, similarities

    def to_nearest_other(self) -> Float[np.ndarray, " n"]:
        """Each fingerprint's similarity to the most similar other one; 0 for a single fingerprint."""
        n = len(self.bits)
        best = np.zeros(n)
        start = 0
        while start < n - 1:  # every pair once: the rows from `start` on against themselves
            tile = next(_tiles(n - start, n - start))
            stop = start + tile.stop
            similarity = _tanimoto(self._words[:, start:], self._sizes[start:], self._words[:, start:stop])
            np.fill_diagonal(similarity, 0)
            best[start:stop] = np.maximum(best[start:stop], similarity.max(axis=1))
            best[start:] = np.maximum(best[start:], similarity.max(axis=0))
            start = stop
        return best

    @cached_property
    def _words(self) -> UInt64[np.ndarray, "words n"]:
        return _words(self.bits)

    @cached_property
    def _sizes(self) -> Int64[np.ndarray, " n"]:
        return np.bitwise_count(self._words).sum(axis=0, dtype=np.int64)


def _words(bits: UInt8[np.ndarray, "n bytes"]) -> UInt64[np.ndarray, "words n"]:
    """The fingerprints as 64-bit words, one row per word, so that a word of all of them is contiguous."""
    padded = np.pad(bits, ((0, 0), (0, -bits.shape[1] % 8)))
    return np.ascontiguousarray(padded.view(np.uint64).T)


def _tiles(queries: int, known: int) -> Iterator[slice]:
    step = max(1, _TILE // max(known, 1))
    for start in range(0, queries, step):
        yield slice(start, min(start + step, queries))


def _tanimoto(
    words: UInt64[np.ndarray, "words n"], sizes: Int64[np.ndarray, " n"], queries: UInt64[np.ndarray, "words q"]
) -> Float[np.ndarray, "q n"]:
    """Bits in common over bits in either, in float64: RDKit's own numbers."""
    common = np.zeros((queries.shape[1], words.shape[1]), dtype=np.uint32)
    for word, asked in zip(words, queries, strict=True):
        if asked.any():  # at most as many words as a query has bits set
            common += np.bitwise_count(word & asked[:, None])
    either = np.bitwise_count(queries).sum(axis=0, dtype=np.int64)[:, None] + sizes - common
    return common / np.maximum(either, 1)


def _top(similarity: Float[np.ndarray, "q n"], k: int) -> Int64[np.ndarray, "q k"]:
    """Columns of the k largest of each row, largest first, the lower column first among equal ones."""
    if k == 1:
        return similarity.argmax(axis=1)[:, None]
    smallest = np.partition(similarity, -k, axis=1)[:, -k]
    best = np.empty((len(similarity), k), dtype=np.int64)
    for row, (values, least) in enumerate(zip(similarity, smallest, strict=True)):
        among = np.flatnonzero(values >= least)
        best[row] = among[np.argsort(-values[among], kind="stable")[:k]]
    return best
