"""The words of a page: names of metrics, units, what an interval of a difference says."""

import math

from molmed.metrics import metric
from molmed.report import numbers
from molmed.results import Interval

_NAMES = {
    "rmse": "RMSE",
    "mae": "MAE",
    "r2": "R²",
    "pearson": "Pearson r",
    "spearman": "Spearman ρ",
    "auroc": "AUROC",
    "auprc": "average precision",
    "balanced_accuracy": "balanced accuracy",
    "f1": "F1",
    "mcc": "MCC",
    "brier": "Brier score",
    "log_loss": "log loss",
    "bedroc": "BEDROC",
    "ef1": "enrichment in the top 1 %",
}

_IN_THE_TARGETS_UNIT = {"rmse", "mae"}

REASONS = {
    "": "no remark",
    "row_shape": "another number of cells than the header",
    "file_truncated": "the file ends in the middle",
    "empty": "no structure given",
    "not_text": "not a text where a SMILES was expected",
    "syntax": "not a SMILES",
    "valence": "an atom with an impossible valence",
    "aromaticity": "an aromatic system without a Kekulé form",
    "no_atoms": "no atoms",
    "reaction": "a reaction, not a molecule",
    "mixture": "a mixture of different organic parents",
    "standardise": "could not be standardised",
    "salt_stripped": "counter-ions or solvent removed",
    "descriptor_missing": "a descriptor has no value for it",
    "large_molecule": "far larger than what the models are meant for",
    "target_missing": "no measured value",
    "target_not_a_number": "the measured value is not a number",
    "target_not_a_class": "the measured value is not a class",
    "cell_not_a_number": "text in a column of numbers",
    "duplicate_id": "an earlier row has the same id",
    "merged": "the same structure as an earlier row, merged into it",
    "conflict": "repeats whose classes tie",
    "featurizer": "could not be featurised",
    "error": "an error",
}
"""Every `Reason` in words for a reader."""


def metric_name(name: str) -> str:
    """How a metric is written in a text: "rmse" -> "RMSE"."""
    return _NAMES.get(name, name.replace("_", " "))


def metric_unit(name: str, unit: str) -> str:
    """The unit of a metric of values in this unit; "" for a metric without one."""
    return unit if name in _IN_THE_TARGETS_UNIT else ""


def metric_label(name: str, unit: str) -> str:
    """A metric with its unit: "RMSE (pAct)"."""
    own = metric_unit(name, unit)
    return metric_name(name) + (f" ({own})" if own else "")


def better(name: str) -> str:
    """Which way is good: "lower is better"."""
    return "higher is better" if metric(name).greater_is_better else "lower is better"


def verdict(difference: Interval, name: str, than: str) -> str:
    """What a paired difference (this model less the other) says, in words.

    A difference whose interval contains 0 is no detectable difference, whatever its value.
    """
    if math.isnan(difference.low) or math.isnan(difference.high):
        return f"too few compounds to tell it from {than}"
    if difference.low <= 0 <= difference.high:
        return f"no detectable difference from {than}"
    good = (difference.value > 0) == metric(name).greater_is_better
    return f"{'better' if good else 'worse'} than {than}"


def quantity(target: str, unit: str) -> str:
    """A target with its unit, unless the unit is the name: "clearance (mL/min)", "pAct"."""
    return f"{target} ({unit})" if unit and unit != target else target


_SMALL = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")


def plural(n: int, one: str, many: str = "") -> str:
    """A count with its noun: "one compound", "three compounds", "2,341 compounds"."""
    number = _SMALL[n] if n < len(_SMALL) else numbers.count(n)
    return f"{number} {one if n == 1 else many or one + 's'}"
