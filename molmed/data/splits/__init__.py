"""Shelf: who is in which fold. Equal standardised structures are always in one fold."""

from molmed.data.splits._contract import Folds, Split, Subjects, holdout, k_fold

__all__ = ["Folds", "Split", "Subjects", "holdout", "k_fold"]
