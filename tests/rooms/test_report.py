"""A page is one file of plain HTML that needs nothing else, says what it knows, and lets no name become markup."""

import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from markupsafe import Markup
from rdkit import RDConfig

from molmed import draw
from molmed.errors import InputError
from molmed.experiment.config import Config, ModelConfig, SplitConfig
from molmed.experiment.fit import fit
from molmed.experiment.run import Run
from molmed.report import numbers, words
from molmed.report.demo import Comparison, Contender, Demo, Screened, demo_page
from molmed.report.model import model_page
from molmed.report.page import RESEARCH_USE_ONLY, Column, drawing, page, paragraph, section, table
from molmed.report.screening import OUTSIDE, hits, hits_page, hits_section
from molmed.results import Interval, Reason

WHEN = "25 November 2026"
HOSTILE = "<script>alert('x')</script> & \"quoted\" <img src=x onerror=alert(1)>"
VOID = {"meta", "br", "img", "link", "input", "hr"}
UNKNOWN = Interval(float("nan"), float("nan"), float("nan"))


class Outline(HTMLParser):
    """The elements of a page, refusing what is not closed in order."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.feed(text)
        self.close()
        assert not self.open, f"not closed: {self.open}"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open, f"</{tag}> closes nothing"
        assert self.open.pop() == tag, f"</{tag}> out of order"

    def handle_data(self, data: str) -> None:
        if "style" not in self.open:
            self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).replace("\N{NO-BREAK SPACE}", " ").split())

    def count(self, tag: str, of: str = "") -> int:
        return sum(t == tag and of in (a.get("class") or "").split() + [""] * (not of) for t, a in self.found)


def check(text: str) -> Outline:
    """What holds for every page: closed elements, one title, resolved anchors, no script, nothing loaded."""
    outline = Outline(text)
    assert text.startswith("<!DOCTYPE html>")
    assert outline.count("h1") == 1
    assert not {t for t, _ in outline.found} & {"script", "img", "link", "iframe", "object", "embed", "base"}
    assert not [a for _, attrs in outline.found for a in attrs if a.startswith("on")]
    addresses = [a[n] for _, a in outline.found for n in ("src", "href", "xlink:href", "srcset", "action") if n in a]
    addresses += re.findall(r"url\(([^)]*)\)", text)
    assert all((address or "").startswith("#") for address in addresses)
    assert "@import" not in text
    ids = [a["id"] for _, a in outline.found if "id" in a]
    assert len(ids) == len(set(ids))
    assert {(address or "")[1:] for address in addresses} <= set(ids)
    assert RESEARCH_USE_ONLY in outline.text
    assert len(text.encode()) < 3_000_000
    return outline


def sulfonamides(n: int = 120) -> pd.DataFrame:
    """Every eighth of the aryl sulfonamides that RDKit carries: smiles, id, pAct."""
    folder = Path(RDConfig.RDContribDir) / "FreeWilson" / "data"
    structures = pd.read_csv(folder / "CHEMBL2321810.smi", sep=" ", names=["smiles", "id"], dtype=str)
    values = pd.read_csv(folder / "CHEMBL2321810_act.csv", dtype={"Name": str}).rename(columns={"Act": "pAct"})
    joined = structures.merge(values, left_on="id", right_on="Name").drop(columns="Name")
    return joined.iloc[::8].head(n).reset_index(drop=True)


FOREST = Config(
    unit="pAct",
    split=SplitConfig(test=0.25, folds=2),
    model=ModelConfig("random_forest", encoder={"n_trees": 10, "jobs": 1}),
)


@pytest.fixture(scope="module")
def forest() -> Run:
    """A small forest; three rows could not be used, one of them with a hostile id."""
    bad = pd.DataFrame({"smiles": ["C1CC", "", "CC"], "id": [HOSTILE, "empty", "text"], "pAct": ["5", "6", "x"]})
    return fit(pd.concat([sulfonamides().astype(str), bad]), targets="pAct", config=FOREST)


@pytest.fixture(scope="module")
def toxic() -> Run:
    """A small forest on two binary targets, the second with gaps."""
    table = sulfonamides().assign(active=lambda t: (t.pAct > 6.5).astype(int))
    table["heavy"] = (table.smiles.str.len() > 60).astype(int).where(table.index % 4 > 0)
    config = replace(FOREST, unit="")
    return fit(table[["smiles", "id", "active", "heavy"]], targets=["active", "heavy"], config=config)


@pytest.fixture(scope="module")
def screened() -> pd.DataFrame:
    """Thirty-two rows of a library with every trust column; the last two rejected."""
    known = sulfonamides(32)
    rng = np.random.default_rng(0)
    value = rng.uniform(5, 8, 32).round(2)
    frame = pd.DataFrame(
        {"row": range(32), "id": [f"L{i}" for i in range(32)], "smiles": known.smiles, "status": "ok", "reason": ""}
    )
    frame["pAct"], frame["pAct_low"], frame["pAct_high"] = value, value - 1.1, value + 1.1
    frame["domain"] = np.linspace(0, 1, 32)
    frame["pAct_nearest_id"] = known.id.shift(1).fillna(known.id.iloc[-1])
    frame["pAct_nearest_similarity"] = np.linspace(0.1, 0.9, 32)
    frame["pAct_nearest_value"] = 6.5
    frame.loc[30:, ["status", "reason"]] = ["rejected", "syntax"]
    frame.loc[30:, frame.columns[5:9]] = np.nan
    return frame


@pytest.fixture(scope="module")
def structures() -> dict[str, str]:
    known = sulfonamides(32)
    return dict(zip(known.id, known.smiles, strict=True))


def a_demo(screened: pd.DataFrame, structures: dict[str, str]) -> Demo:
    scores = {"rmse": Interval(0.555, 0.49, 0.62), "r2": Interval(0.4, 0.29, 0.49)}
    best = Contender("D-MPNN", "graph network", Interval(0.512, 0.48, 0.545), scores, None, 121.0)
    worse = replace(best, name="SMILES Transformer", difference=Interval(0.105, 0.052, 0.161))
    same = replace(best, name="Random forest", difference=Interval(0.012, -0.034, 0.058), seconds=float("nan"))
    rng = np.random.default_rng(0)
    measured = rng.normal(6.3, 1, 50)
    history = pd.DataFrame(
        {"epoch": range(5), "train_loss": 1.0, "valid_loss": 1.1, "best": [False, False, True, False, False]}
    )
    return Demo(
        target="pAct",
        unit="pAct",
        data={"rows read": "1,017"},
        comparison=Comparison([best, worse, same], "D-MPNN", "rmse", 812, 205, 5),
        series={"test": (measured, measured + 0.3)},
        training_values=measured,
        screened=Screened("RDKit's NCI library", screened, structures),
        history=history,
        timings={"train": 270.2, "screen": 3.1},
        versions={"molmed": "0.1.0"},
    )


# blocks


def test_a_page_has_its_title_date_contents_and_sections() -> None:
    text = page("A title", [section("First", paragraph("one")), section("Second!")], when=WHEN, lead="Why.")
    outline = check(text)
    assert outline.count("section") == 2
    assert [a["href"] for t, a in outline.found if t == "a"] == ["#first", "#second"]
    assert {"A title", "Why.", f"molmed · {WHEN}"} <= set(outline.words)


def test_every_text_a_caller_passes_is_escaped() -> None:
    blocks = [paragraph(HOSTILE), table([Column(HOSTILE)], [[HOSTILE]], caption=HOSTILE)]
    text = page(HOSTILE, [section(HOSTILE, *blocks)], when=HOSTILE, lead=HOSTILE, tiles={HOSTILE: (HOSTILE, HOSTILE)})
    outline = check(text)
    assert outline.text.count("<script>alert('x')</script>") == 12


def test_two_sections_need_two_anchors() -> None:
    with pytest.raises(InputError, match="'same' twice"):
        page("x", [section("Same"), section("same")], when=WHEN)


def test_a_row_must_fit_its_columns() -> None:
    with pytest.raises(InputError, match="a row of 1 cells"):
        table([Column("a"), Column("b")], [["1"]])


@pytest.mark.parametrize(
    "text",
    [
        "<p>no drawing</p>",
        "<svg",
        '<svg xmlns="http://www.w3.org/2000/svg"><script>1</script></svg>',
        '<svg xmlns="http://www.w3.org/2000/svg" onload="x()"></svg>',
        '<svg xmlns="http://www.w3.org/2000/svg"><image href="http://a.b/c.png"/></svg>',
        '<svg xmlns="http://www.w3.org/2000/svg"><use href="http://a.b/c.svg"/></svg>',
        '<svg xmlns="http://www.w3.org/2000/svg"><foreignObject/></svg>',
    ],
)
def test_only_drawings_are_placed_without_escaping(text: str) -> None:
    with pytest.raises(InputError, match="placing a drawing"):
        drawing(text)


def test_a_drawing_may_speak_of_events_and_links() -> None:
    assert isinstance(drawing(draw.molecule("CCO", legend="onset=5 href=x url(y)")), Markup)


# numbers and words


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.53721, "0.537"),
        (5.483, "5.48"),
        (12.34, "12.3"),
        (1234.5, "1,234"),
        (-0.0512, "−0.0512"),
        (0.0, "0.00"),
        (-0.0, "0.00"),
        (float("nan"), "–"),
        (float("inf"), "unbounded"),
    ],
)
def test_a_number_has_three_significant_digits(value: float, text: str) -> None:
    assert numbers.number(value) == text


def test_values_of_a_row_have_equal_decimals() -> None:
    places = numbers.decimals([0.512, 0.0984, float("nan")])
    assert [numbers.fixed(v, places) for v in (0.512, 0.0984)] == ["0.512", "0.098"]
    assert numbers.with_interval(Interval(0.512, 0.48, 0.5), places) == "0.512 (0.480 to 0.500)"
    assert numbers.with_interval(Interval(0.512, float("nan"), float("nan")), places) == "0.512"
    assert numbers.signed(-0.0001, 2) == "0.00"


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.42, "0.42 s"), (17.2, "17 s"), (185.0, "3 min 05 s"), (7800.0, "2 h 10 min")]
)
def test_a_time_is_said_in_its_own_unit(seconds: float, text: str) -> None:
    assert numbers.duration(seconds) == text


@pytest.mark.parametrize(
    ("difference", "metric", "said"),
    [
        (Interval(0.1, 0.05, 0.2), "rmse", "worse than A"),
        (Interval(-0.1, -0.2, -0.05), "rmse", "better than A"),
        (Interval(0.1, 0.05, 0.2), "auroc", "better than A"),
        (Interval(0.1, -0.05, 0.2), "auroc", "no detectable difference from A"),
        (Interval(0.0, 0.0, 0.0), "rmse", "no detectable difference from A"),
        (UNKNOWN, "rmse", "too few compounds to tell it from A"),
    ],
)
def test_a_difference_is_put_into_words(difference: Interval, metric: str, said: str) -> None:
    assert words.verdict(difference, metric, "A") == said


def test_every_reason_has_words() -> None:
    assert set(words.REASONS) >= {str(reason) for reason in Reason}


# the page of a model


def test_the_page_of_a_model_says_what_it_must(forest: Run) -> None:
    outline = check(model_page(forest, when=WHEN))
    said = outline.text
    assert "random_forest: pAct" in said
    assert forest.task.intended_use in said
    assert f"It must not be used for {forest.task.must_not}" in said
    for part, by_metric in ((p, s["pAct"]) for p, s in forest.scores.items()):
        assert numbers.with_interval(by_metric["rmse"], 3) in said, part
    assert f"± {numbers.number(forest.predictor.calibration.half_width['pAct'])}" in said
    assert 'name = "random_forest"' in said
    assert "within 1 log unit" in said


def test_rejected_rows_are_counted_with_examples(forest: Run) -> None:
    said = check(model_page(forest, when=WHEN)).text
    assert "no structure given 1 row 121, empty" in said
    assert f"row 120, {' '.join(HOSTILE.split())}" in said
    assert len(forest.rejected) == 3


def test_the_worst_predictions_stand_beside_their_nearest_measured_neighbour(forest: Run) -> None:
    outline = check(model_page(forest, when=WHEN))
    assert outline.count("article", "card") == 6
    assert outline.text.count("nearest measured: ") == 6
    test = forest.predictions[forest.predictions["part"] == "test"]
    worst = test.assign(error=(test["pAct"] - test["pAct_measured"]).abs()).nlargest(1, "error").iloc[0]
    assert numbers.fixed(worst["error"], 2) + " pAct too" in outline.text


def test_a_compound_is_not_its_own_neighbour(forest: Run) -> None:
    own = forest.predictions[forest.predictions["part"] == "out_of_fold"]
    said = check(model_page(replace(forest, predictions=own), when=WHEN)).text
    cards = re.findall(r"(\d{7}) [\d.]+ pAct too .*?nearest measured: (\d{7})", said)
    assert len(cards) == 6
    assert all(id != near for id, near in cards)


def test_a_page_is_made_again_byte_for_byte(forest: Run) -> None:
    assert model_page(forest, when=WHEN) == model_page(forest, when=WHEN)


def test_binary_targets_get_roc_and_reliability(toxic: Run) -> None:
    outline = check(model_page(toxic, when=WHEN))
    labels = [a.get("aria-label") or "" for t, a in outline.found if t == "svg"]
    for target in ("active", "heavy"):
        assert sum(label.startswith(f"ROC curve of {target}") for label in labels) == 1
        assert sum(label.startswith(f"reliability plot of {target}") for label in labels) == 1
    assert "probability of class 1" in outline.text
    assert "AUROC, test (mean)" in outline.text


def test_one_class_only_is_said(toxic: Run) -> None:
    negative = toxic.predictions.assign(active_measured=0.0)
    said = check(model_page(replace(toxic, predictions=negative), when=WHEN)).text
    assert "active: only one class among the rows with a prediction" in said


def test_a_model_without_scores_predictions_and_domain_still_has_a_page(forest: Run) -> None:
    bare = Run(replace(forest.predictor, domain=None), forest.config, forest.task)
    said = check(model_page(bare, when=WHEN, title="Bare & new")).text
    assert "Bare & new" in said
    assert "No score was made" in said


def test_without_test_rows_the_page_says_so(forest: Run) -> None:
    own = forest.predictions[forest.predictions["part"] == "out_of_fold"]
    run = replace(forest, scores={"out_of_fold": forest.scores["out_of_fold"]}, predictions=own)
    assert "No test rows were held out" in check(model_page(run, when=WHEN)).text


def test_without_a_domain_the_worst_are_drawn_alone(forest: Run) -> None:
    run = replace(forest, predictor=replace(forest.predictor, domain=None))
    outline = check(model_page(run, when=WHEN))
    assert outline.count("article", "card") == 6
    assert "nearest measured" not in outline.text


def test_rows_without_a_structure_come_as_a_table(forest: Run) -> None:
    run = replace(forest, predictions=forest.predictions.drop(columns="smiles"))
    outline = check(model_page(run, when=WHEN))
    assert outline.count("article", "card") == 0
    assert "Worst predictions" in outline.text


def test_the_training_curve_is_drawn(forest: Run) -> None:
    history = pd.DataFrame(
        {"epoch": range(4), "train_loss": [1.0, 0.7, 0.5, 0.4], "best": [True, True, True, False], "seconds": 2.0}
    )
    for extra, said in (({"valid_loss": [1.0, 0.8, 0.7, 0.9]}, "epoch 3 kept"), ({}, "epoch 4 kept")):
        run = replace(forest, history=history.assign(**extra))
        outline = check(model_page(run, when=WHEN))
        assert said in outline.text
        assert "Four epochs of the final fit, 8 s." in outline.text


# screening


def test_hits_are_the_best_predicted_in_order(screened: pd.DataFrame) -> None:
    top = hits(screened, "pAct", n=5)
    assert top["pAct"].is_monotonic_decreasing
    assert set(top["status"]) == {"ok"}
    assert top["pAct"].iloc[0] == screened["pAct"].max()
    assert hits(screened, "pAct", n=1, best="lowest")["pAct"].iloc[0] == screened["pAct"].min()
    assert list(hits(screened.assign(pAct=1.0), "pAct", n=3)["row"]) == [0, 1, 2]


def test_every_hit_has_its_card(screened: pd.DataFrame, structures: dict[str, str]) -> None:
    text = hits_page(screened, structures, target="pAct", unit="pAct", when=WHEN, library="My library", n=24)
    outline = check(text)
    assert outline.count("article", "card") == 24
    assert outline.text.count("nearest measured: ") == 24
    assert outline.count("svg") == 2 * 24 + 1
    best = hits(screened, "pAct").iloc[0]
    value, low, high = (numbers.fixed(best[c], 2) for c in ("pAct", "pAct_low", "pAct_high"))
    assert f"1 {best['id']} {value} pAct 90 % interval {low} to {high}" in outline.text
    assert "common part tinted" in outline.text
    assert "rejected not a SMILES 2 6.2 %" in outline.text


def test_hits_outside_the_domain_are_warned_of(screened: pd.DataFrame, structures: dict[str, str]) -> None:
    outside = int((hits(screened, "pAct", n=30)["domain"] < OUTSIDE).sum())
    body = hits_section(screened, structures, target="pAct", n=30).body
    assert outside > 0
    assert f"{outside} of these 30 compounds lie outside the domain" in body
    assert body.count("chip outside") == outside
    everywhere = hits_section(screened.assign(domain=0.0), structures, target="pAct").body
    assert "All 24 compounds lie outside the domain" in everywhere


def test_columns_that_are_not_there_are_not_invented(screened: pd.DataFrame) -> None:
    bare = screened[["row", "id", "smiles", "status", "reason", "pAct"]]
    outline = check(hits_page(bare, {}, target="pAct", when=WHEN))
    assert outline.count("article", "card") == 24
    assert not [word for word in ("nearest", "interval", "domain") if word in outline.text.replace("each beside", "")]


def test_a_screen_without_hits_says_so(screened: pd.DataFrame) -> None:
    nothing = screened.assign(status="rejected", reason="syntax", pAct=np.nan)
    assert "there is no hit to show" in check(hits_page(nothing, {}, target="pAct", when=WHEN)).text
    assert "there is no hit to show" in check(hits_page(nothing.head(0), {}, target="pAct", when=WHEN)).text


def test_names_and_structures_of_a_library_are_text(screened: pd.DataFrame, structures: dict[str, str]) -> None:
    hostile = screened.assign(id=HOSTILE, smiles=HOSTILE, pAct_nearest_id=HOSTILE)
    outline = check(hits_page(hostile, {HOSTILE: HOSTILE}, target="pAct", unit=HOSTILE, when=WHEN, library=HOSTILE))
    assert outline.count("article", "card") == 24
    assert outline.text.count("cannot be drawn: ") == 48


def test_the_parent_is_drawn_where_it_is_another_one(screened: pd.DataFrame, structures: dict[str, str]) -> None:
    salt = screened.assign(smiles="CCO.Cl", parent="CCO")
    salt.loc[::2, "parent"] = ""
    drawn = re.findall(r"structure ([^\"]+)\"", hits_section(salt, structures, target="pAct").body)
    assert {"CCO", "CCO.Cl"} <= set(drawn)


def test_label_sets_are_shown(screened: pd.DataFrame) -> None:
    binary = screened.drop(columns=["pAct_low", "pAct_high"]).assign(pAct_set="0|1")
    assert "label set: 0 or 1" in hits_section(binary, {}, target="pAct").body


# the demonstration


def test_the_demo_page_compares_screens_and_warns(screened: pd.DataFrame, structures: dict[str, str]) -> None:
    outline = check(demo_page(a_demo(screened, structures), when=WHEN))
    said = outline.text
    assert outline.count("article", "card") == 24
    assert "SMILES Transformer: worse than D-MPNN on the test compounds: RMSE +0.105 (0.052 to 0.161)." in said
    assert "Random forest: no detectable difference from D-MPNN on the test compounds" in said
    assert "RDKit's files name no target" in said
    assert "None of the hits has been measured here" in said
    assert "4 min 33 s" in said
    assert "quick run" not in said


def test_a_quick_demo_says_that_it_is_one(screened: pd.DataFrame, structures: dict[str, str]) -> None:
    assert "A quick run" in demo_page(replace(a_demo(screened, structures), quick=True), when=WHEN)


def test_a_demo_of_a_forest_alone_needs_no_history_times_or_versions(
    screened: pd.DataFrame, structures: dict[str, str]
) -> None:
    whole = a_demo(screened, structures)
    alone = replace(whole.comparison, contenders=whole.comparison.contenders[:1])
    nothing = screened.assign(status="rejected", reason="syntax", pAct=np.nan)
    demo = replace(
        whole,
        comparison=alone,
        history=pd.DataFrame(),
        timings={},
        versions={},
        screened=Screened("a library", nothing, {}),
    )
    assert "there is no hit to show" in check(demo_page(demo, when=WHEN)).text


def test_hostile_names_in_the_demo_are_text(screened: pd.DataFrame, structures: dict[str, str]) -> None:
    demo = a_demo(screened, structures)
    best = replace(demo.comparison.contenders[0], name=HOSTILE, about=HOSTILE)
    demo = replace(
        demo,
        unit=HOSTILE,
        data={HOSTILE: HOSTILE},
        comparison=replace(demo.comparison, contenders=[best], winner=HOSTILE, split=HOSTILE),
        timings={HOSTILE: 1.0},
        versions={HOSTILE: HOSTILE},
    )
    assert "<script>alert('x')</script>" in check(demo_page(demo, when=WHEN, title=HOSTILE)).text


@pytest.mark.parametrize("module", ["page", "screening", "demo", "compound"])
def test_pages_that_need_no_model_load_no_torch(module: str, run_python: Callable[[str], str]) -> None:
    assert run_python(f"import sys, molmed.report.{module}; print('torch' in sys.modules)") == "False"


@pytest.fixture
def run_python() -> Callable[[str], str]:
    def run(statement: str) -> str:
        done = subprocess.run(
            [sys.executable, "-c", statement], capture_output=True, text=True, timeout=120, check=True
        )
        return done.stdout.strip()

    return run
