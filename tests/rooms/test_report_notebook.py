"""In a notebook a result shows itself: in its own style, with nothing of its text taken as markup."""

from collections.abc import Callable
from html.parser import HTMLParser
from typing import Any

import numpy as np
import pandas as pd
import pytest

from molmed.data.audit import Audit, audit
from molmed.data.bundled import nav17
from molmed.errors import InputError, UnknownNameError
from molmed.experiment.compare import compare_predictions, compare_stored
from molmed.experiment.comparison import Comparison
from molmed.experiment.config import Config, ModelConfig, SplitConfig
from molmed.experiment.fit import fit
from molmed.experiment.run import Run
from molmed.report import notebook
from molmed.targets import Target

HOSTILE = "<script>alert(1)</script>"


@pytest.fixture(scope="module")
def runs() -> dict[str, Run]:
    def made(n_trees: int) -> Run:
        model = ModelConfig("random_forest", encoder={"n_trees": n_trees, "jobs": 1})
        return fit(nav17().iloc[::8], targets="pAct", config=Config(split=SplitConfig(test=0.25, folds=2), model=model))

    return {HOSTILE: made(10), "large": made(20)}


@pytest.fixture(scope="module")
def compared(runs: dict[str, Run]) -> Comparison:
    return compare_stored(runs, resamples=200)


@pytest.fixture(scope="module")
def looked_at() -> Audit:
    table = nav17().iloc[:40]
    again = table.head(3).assign(pAct=lambda t: t.pAct + 2, id=[HOSTILE, "b", "c"])
    return audit(pd.concat([table, again]), targets=["pAct"], split="random", folds=2)


class Fragment(HTMLParser):
    """Counts the tags of a piece of HTML, and holds its text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[str] = []
        self.text = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.open += [tag] if tag not in ("br", "meta", "link") else []

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data if "style" not in self.open else ""


def shown(thing: Any) -> Fragment:
    found = Fragment(thing._repr_html_())
    assert not found.open, "every tag is closed"
    assert "script" not in found.tags
    assert found.tags[:2] == ["div", "style"]
    return found


def test_a_run_shows_its_scores_and_what_it_is_not_for(runs: dict[str, Run]) -> None:
    text = shown(runs["large"]).text
    assert "RMSE" in text
    assert "out-of-fold" in text
    assert "It must not be used for" in text
    assert repr(runs["large"]) == "Run(random_forest: pAct)"


def test_a_comparison_shows_the_best_model_first(compared: Comparison) -> None:
    text = shown(compared).text
    assert text.index(compared.best_first("pAct")[0]) < text.index("rows compared")
    assert HOSTILE in text
    assert "pAct" in repr(compared)
    assert len(repr(compared)) < 200


def test_a_comparison_of_many_targets_shows_them_in_one_table() -> None:
    rng = np.random.default_rng(0)
    y = rng.standard_normal((60, 3))
    targets = [Target(name, "regression") for name in "abc"]
    made = compare_predictions(
        {"near": y + 0.1, "far": y + rng.standard_normal(y.shape)}, y, targets, metric="rmse", resamples=200
    )
    assert "mean of the targets" in shown(made).text


def test_an_audit_shows_every_finding_in_words(looked_at: Audit) -> None:
    text = shown(looked_at).text
    for f in looked_at.findings:
        assert f.sentence[1:60] in text
    assert "Looked for and not found" in text
    assert repr(looked_at).startswith("Audit(the table, 43 rows: ")


def test_an_audit_without_findings_says_what_was_looked_for() -> None:
    made = audit(nav17(), targets=["pAct"])
    assert not made.findings
    assert "Nothing was found of what was looked for" in shown(made).text
    assert repr(made).endswith("nothing found)")


@pytest.mark.parametrize(
    ("draw", "drawings"),
    [
        (lambda runs, compared, looked_at: notebook.parity(runs["large"]), 1),
        (lambda runs, compared, looked_at: notebook.worst(runs["large"], n=2), 4),
        (lambda runs, compared, looked_at: notebook.intervals(compared), 2),
        (lambda runs, compared, looked_at: notebook.examples(looked_at, "conflict", n=3), 3),
        (lambda runs, compared, looked_at: notebook.examples(looked_at, "unreadable"), 0),
    ],
    ids=["parity", "worst", "intervals", "examples", "nothing"],
)
def test_a_picture_is_one_call(
    draw: Callable[..., Any], drawings: int, runs: dict[str, Run], compared: Comparison, looked_at: Audit
) -> None:
    found = shown(draw(runs, compared, looked_at))
    assert found.tags.count("svg") == drawings


def test_a_wrong_name_answers_with_the_right_ones(runs: dict[str, Run], compared: Comparison, looked_at: Audit) -> None:
    with pytest.raises(UnknownNameError, match="pAct"):
        notebook.parity(runs["large"], "pact")
    with pytest.raises(UnknownNameError, match="pAct"):
        notebook.intervals(compared, "pact")
    with pytest.raises(UnknownNameError, match="conflict"):
        notebook.examples(looked_at, "conflicts")


def test_what_cannot_be_drawn_is_said() -> None:
    table = nav17().iloc[::16].assign(active=lambda t: (t.pAct > 6.5).astype(int))
    model = ModelConfig("random_forest", encoder={"n_trees": 10, "jobs": 1})
    classes = fit(table, targets="active", config=Config(model=model))
    with pytest.raises(InputError, match="kind regression"):
        notebook.parity(classes)
    unseen = fit(table, targets="pAct", config=Config(model=model, split=SplitConfig(test=0.0)))
    for call in (notebook.parity, notebook.worst):
        with pytest.raises(InputError, match="cv=5"):
            call(unseen)
