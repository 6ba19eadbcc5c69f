"""Pictures for a notebook: one call each, drawn where the cell ends."""

from molmed.data.audit import KINDS, Audit
from molmed.errors import InputError, UnknownNameError
from molmed.experiment.comparison import Comparison
from molmed.experiment.run import Run
from molmed.report.audit import examples_blocks
from molmed.report.comparison import drawn
from molmed.report.fragment import Shown, shown
from molmed.report.honest import honest
from molmed.report.page import beside
from molmed.report.regression import parity as parity_figure
from molmed.report.worst import worst_blocks
from molmed.targets import Target


def parity(run: Run, target: str = "") -> Shown:
    """Predicted against measured values, of rows that the model had not seen.

    Args:
        target: the first one unless named.

    Raises:
        InputError: the target has no numbers, or the run holds no such predictions.
        UnknownNameError: no such target.
    """
    chosen = _target(run, target)
    if chosen.kind != "regression":
        came = f"{chosen.name!r} of kind {chosen.kind}"
        raise InputError(
            "drawing predicted against measured values", came, "a target of kind regression", "see run.report()"
        )
    rows = honest(run, chosen)
    if rows.empty:
        raise _nothing("drawing predicted against measured values")
    return shown(parity_figure(rows, chosen, run))


def worst(run: Run, target: str = "", n: int = 4) -> Shown:
    """The largest errors on rows that the model had not seen, each compound beside its nearest measured neighbour.

    Raises:
        InputError: the run holds no such predictions.
        UnknownNameError: no such target.
    """
    chosen = _target(run, target)
    rows = honest(run, chosen)
    if rows.empty:
        raise _nothing("drawing the worst predictions")
    return shown(*worst_blocks(rows, chosen, run, n))


def intervals(made: Comparison, target: str = "") -> Shown:
    """The scores of a comparison and their differences, each with its interval.

    Raises:
        UnknownNameError: no such target.
    """
    name = target or next(iter(made.deciding))
    if name not in made.deciding:
        raise UnknownNameError("choosing a target", name, made.deciding)
    return shown(beside(*drawn(made, name)))


def examples(made: Audit, kind: str, n: int = 4) -> Shown:
    """The worst rows of one kind of finding, drawn where rows belong together.

    Raises:
        UnknownNameError: an audit looks for no such kind.
    """
    if kind not in KINDS:
        raise UnknownNameError("choosing a kind of finding", kind, KINDS)
    return shown(*examples_blocks(made, kind, n))


def _target(run: Run, name: str) -> Target:
    known = {t.name: t for t in run.targets}
    if name and name not in known:
        raise UnknownNameError("choosing a target", name, known)
    return known[name or run.targets[0].name]


def _nothing(asked: str) -> InputError:
    came = "no prediction of a row that the model had not seen"
    return InputError(asked, came, "a run with a test part or folds", "fit with cv=5")
