"""A page is one file of plain HTML that needs nothing else, says what it knows, and lets no name become markup."""

import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from markupsafe import Markup
from rdkit import RDConfig

from molmed import draw
from molmed.errors import InputError
from molmed.report import numbers, words
from molmed.report.demo import Comparison, Contender, Demo, Screened, demo_page
from molmed.report.page import Column, drawing, page, paragraph, section, table
from molmed.report.screening import OUTSIDE, hits, hits_page, hits_section
from molmed.results import Interval, Reason

from .outline import HOSTILE, check

WHEN = "25 November 2026"
UNKNOWN = Interval(float("nan"), float("nan"), float("nan"))


def sulfonamides(n: int = 120) -> pd.DataFrame:
    """Every eighth of the aryl sulfonamides that RDKit carries: smiles, id, pAct."""
    folder = Path(RDConfig.RDContribDir) / "FreeWilson" / "data"
    structures = pd.read_csv(folder / "CHEMBL2321810.smi", sep=" ", names=["smiles", "id"], dtype=str)
    values = pd.read_csv(folder / "CHEMBL2321810_act.csv", dtype={"Name": str}).rename(columns={"Act": "pAct"})
    joined = structures.merge(values, left_on="id", right_on="Name").drop(columns="Name")
    return joined.iloc[::8].head(n).reset_index(drop=True)


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
