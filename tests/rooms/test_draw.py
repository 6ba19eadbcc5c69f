"""Every picture is well-formed SVG with everything in it, the same bytes each time, and nothing from outside."""

import re
import subprocess
import sys
from collections.abc import Callable
from xml.etree import ElementTree

import numpy as np
import pytest
from rdkit import Chem

from molmed import draw
from molmed.draw.molecule import MAX_ATOMS, common_core, readable
from molmed.draw.palette import BLUE, CYCLE, INK, MUTED, VERMILLION, diverging, rgb
from molmed.draw.parity import MANY, is_log_unit
from molmed.errors import InputError
from molmed.results import Interval

SVG = "{http://www.w3.org/2000/svg}"
ASPIRIN = "CC(=O)Oc1ccccc1C(=O)O"
SULFONAMIDES = (
    "O=S(=O)(Nc1cccs1)c2ccc(Oc3ccccc3c4ccccc4)c(c2)C#N",
    "OC(=O)c1ccc(cc1)c2cc(Cl)ccc2Oc3ccc(cc3C#N)S(=O)(=O)Nc4ncns4",
)
HOSTILE = '<script>alert(\'x\')</script> & "$x_1$" \x07 \ud800 α ☃ 分子 id="1" url(#a)'


def numbers(n: int = 60, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    measured = rng.normal(6.3, 1.0, n)
    return measured, measured + rng.normal(0.0, 0.5, n)


def a_parity() -> str:
    return draw.parity({"out-of-fold": numbers(), "test": numbers(20, 1)}, quantity="pAct", unit="pAct")


def a_curve() -> str:
    epochs = np.arange(1, 11)
    return draw.curves(epochs, {"training": 1 / epochs, "validation": 0.2 + 1 / epochs}, chosen=7)


def some_intervals() -> str:
    return draw.intervals(["a", "b"], {"test": [Interval(0.5, 0.4, 0.6), Interval(0.6, 0.5, 0.7)]}, label="RMSE")


def a_distribution() -> str:
    return draw.distribution(numbers(500)[0], numbers(100, 1)[0], label="pAct", mark=7.0, mark_label="hit 24")


def a_roc() -> str:
    rate = np.linspace(0, 1, 11)
    return draw.roc({"test": (rate, rate**0.5)})


def a_reliability() -> str:
    p = np.array([0.1, 0.4, 0.9])
    return draw.reliability(p, p**2, np.array([10, 5, 3]))


def a_molecule() -> str:
    return draw.molecule(ASPIRIN, legend="aspirin", atom_weights=np.linspace(-1, 1, 13))


def a_pair() -> str:
    return draw.pair(*SULFONAMIDES).second


PICTURES = [a_parity, a_curve, some_intervals, a_distribution, a_roc, a_reliability, a_molecule, a_pair]
every_picture = pytest.mark.parametrize("picture", PICTURES, ids=lambda p: p.__name__)


def elements(svg: str, tag: str) -> list[ElementTree.Element]:
    return list(ElementTree.fromstring(svg).iter(SVG + tag))


def texts(svg: str) -> list[str]:
    return ["".join(e.itertext()) for e in elements(svg, "text")]


@every_picture
def test_a_picture_is_one_svg_element_with_a_size_and_words_for_a_screen_reader(picture: Callable[[], str]) -> None:
    svg = picture()
    root = ElementTree.fromstring(svg)
    assert svg.startswith("<svg ")
    assert svg.endswith("</svg>")
    assert root.tag == SVG + "svg"
    assert root.get("viewBox") == f"0 0 {root.get('width')} {root.get('height')}"
    assert root.get("role") == "img"
    assert root.get("aria-label")


@every_picture
def test_the_same_numbers_give_the_same_bytes(picture: Callable[[], str]) -> None:
    assert picture() == picture()


def test_another_process_gives_the_same_bytes() -> None:
    statement = (
        f"from molmed import draw; print(draw.pair(*{SULFONAMIDES!r}).second);"
        "print(draw.intervals(['a'], {'t': []} if False else {'t': [None]}, label='x') if False else "
        "draw.roc({'test': (__import__('numpy').linspace(0, 1, 5),) * 2}))"
    )
    done = subprocess.run([sys.executable, "-c", statement], capture_output=True, text=True, timeout=120, check=True)
    rate = np.linspace(0, 1, 5)
    assert done.stdout == draw.pair(*SULFONAMIDES).second + "\n" + draw.roc({"test": (rate, rate)}) + "\n"


@every_picture
def test_nothing_is_loaded_from_anywhere(picture: Callable[[], str]) -> None:
    svg = picture()
    references = re.findall(r'(?:href|src)="([^"]*)"|url\(([^)]*)\)', svg)
    assert all((a or b).startswith("#") for a, b in references)
    assert "http" not in svg.replace("http://www.w3.org/2000/svg", "").replace("http://www.w3.org/1999/xlink", "")


@every_picture
def test_ids_are_used_and_resolve(picture: Callable[[], str]) -> None:
    svg = picture()
    ids = re.findall(r' id="([^"]+)"', svg)
    assert len(ids) == len(set(ids))
    assert set(ids) == set(re.findall(r'(?:href="|url\()#([^")]+)', svg))


def test_two_pictures_can_stand_in_one_page() -> None:
    first, second = (set(re.findall(r' id="([^"]+)"', svg)) for svg in (a_parity(), a_curve()))
    assert first
    assert second
    assert not first & second


def test_the_callers_matplotlib_settings_come_back() -> None:
    import matplotlib

    with matplotlib.rc_context({"font.size": 33.0, "svg.fonttype": "path"}):
        a_curve()
        assert matplotlib.rcParams["font.size"] == 33.0
        assert matplotlib.rcParams["svg.fonttype"] == "path"


def test_the_callers_matplotlib_settings_do_not_change_a_picture() -> None:
    import matplotlib

    plain = a_parity()
    with matplotlib.rc_context({"font.size": 33.0, "axes.facecolor": "black", "text.color": "red"}):
        assert a_parity() == plain


def test_drawing_loads_neither_torch_nor_pandas_nor_pyplot() -> None:
    statement = (
        "import sys, numpy as np; from molmed import draw; draw.molecule('CCO');"
        "draw.parity({'t': (np.zeros(2), np.ones(2))}, quantity='y');"
        "print([m for m in ('torch', 'pandas', 'matplotlib.pyplot', 'sklearn') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", statement], capture_output=True, text=True, timeout=120, check=True)
    assert done.stdout.strip() == "[]"


# parity


def test_every_point_is_there_and_unknown_ones_are_not() -> None:
    measured, predicted = numbers(60)
    measured[:3], predicted[5] = np.nan, np.inf
    svg = draw.parity({"a": (measured, predicted), "b": numbers(20, 1)}, quantity="pAct")
    marks = elements(svg, "use")
    in_legend = 2
    ticks = len([e for e in marks if "style" in e.attrib])
    assert len(marks) - ticks == 56 + 20
    assert ticks >= in_legend
    assert [t for t in texts(svg) if t.startswith(("a (", "b ("))] == ["a (56)", "b (20)"]


def test_many_points_are_counted_in_cells() -> None:
    few, many = (draw.parity({"t": numbers(n)}, quantity="pAct") for n in (MANY, 20 * MANY))
    assert len(many) < len(few)
    assert any("darker: more" in t for t in texts(many))


@pytest.mark.parametrize("unit", ["pIC50", "pKi", "pAct", "pEC50", "log mol/L", "logD", "-log10(M)", "Log S"])
def test_a_log_unit_gets_a_band_of_one_unit(unit: str) -> None:
    assert is_log_unit(unit)
    assert "within 1 log unit" in texts(draw.parity({"t": numbers()}, quantity="y", unit=unit))


@pytest.mark.parametrize(
    "unit", ["", "nM", "pM", "ppm", "pH", "percent", "%", "mL/min/g", "h", "kcal/mol", "catalogue"]
)
def test_any_other_unit_gets_none(unit: str) -> None:
    assert not is_log_unit(unit)
    assert "within 1 log unit" not in texts(draw.parity({"t": numbers()}, quantity="y", unit=unit))


def test_the_unit_stands_on_both_axes() -> None:
    svg = draw.parity({"t": numbers()}, quantity="clearance", unit="mL/min/g", scores="R² 0.62")
    assert {"measured clearance (mL/min/g)", "predicted clearance (mL/min/g)", "R² 0.62"} <= set(texts(svg))


@pytest.mark.parametrize("value", [0.0, 5.0, -3e6, 1e-9])
def test_a_single_point_can_be_drawn(value: float) -> None:
    one = np.array([value])
    assert "t (1)" in texts(draw.parity({"t": (one, one)}, quantity="y"))


def test_no_known_pair_is_an_error() -> None:
    with pytest.raises(InputError, match="no row with both values"):
        draw.parity({"t": (np.array([np.nan]), np.array([1.0]))}, quantity="y")


# the other plots


def test_the_chosen_epoch_is_marked() -> None:
    assert "epoch 7 kept" in texts(a_curve())
    assert not [t for t in texts(draw.curves(np.arange(3), {"training": np.ones(3)})) if "kept" in t]


def test_one_epoch_and_gaps_can_be_drawn() -> None:
    assert texts(draw.curves(np.array([0]), {"training": np.array([1.0])}, chosen=0))
    assert texts(draw.curves(np.arange(4), {"validation": np.array([1.0, np.nan, np.nan, 0.5])}, chosen=1))


def test_every_model_and_series_is_named_and_the_unknown_left_out() -> None:
    rows = ["D-MPNN", "Random forest"]
    unknown = Interval(float("nan"), float("nan"), float("nan"))
    series = {"out-of-fold": [Interval(0.5, 0.4, 0.6), unknown], "test": [None, Interval(0.6, float("nan"), 0.7)]}
    svg = draw.intervals(rows, series, label="RMSE (pAct)", winner="D-MPNN", note="lower is better")
    assert {*rows, "out-of-fold", "test", "RMSE (pAct) — lower is better"} <= set(texts(svg))
    bold = [e for e in elements(svg, "text") if "font-weight: 700" in e.get("style", "")]
    assert ["".join(e.itertext()) for e in bold] == ["D-MPNN"]


def test_a_series_must_fit_the_rows() -> None:
    with pytest.raises(InputError, match="one per row"):
        draw.intervals(["a", "b"], {"test": [Interval(1.0, 0.0, 2.0)]}, label="RMSE")


def test_sets_of_different_size_are_compared_as_shares() -> None:
    shown = texts(a_distribution())
    assert {"predicted (500)", "training, measured (100)", "hit 24", "share of compounds (%)"} <= set(shown)


@pytest.mark.parametrize("behind", [None, np.empty(0), np.array([np.nan])], ids=["none", "empty", "unknown"])
def test_a_distribution_needs_nothing_behind_it(behind: np.ndarray | None) -> None:
    assert "predicted (2)" in texts(draw.distribution(np.array([5.0, 5.0, np.nan]), behind, label="pAct"))


@pytest.mark.parametrize(
    "empty",
    [
        lambda: draw.curves(np.empty(0, dtype=np.int64), {"training": np.empty(0)}),
        lambda: draw.intervals(["a"], {"test": [None]}, label="RMSE"),
        lambda: draw.distribution(np.array([np.nan]), label="pAct"),
        lambda: draw.roc({}),
        lambda: draw.reliability(np.empty(0), np.empty(0), np.empty(0, dtype=np.int64)),
    ],
    ids=["curves", "intervals", "distribution", "roc", "reliability"],
)
def test_nothing_to_draw_is_an_error(empty: Callable[[], str]) -> None:
    with pytest.raises(InputError, match="drawing"):
        empty()


def test_hostile_names_come_out_as_text() -> None:
    pictures = [
        draw.parity({HOSTILE: numbers()}, quantity=HOSTILE, unit=HOSTILE, scores=HOSTILE),
        draw.curves(np.arange(3), {HOSTILE: np.ones(3)}, label=HOSTILE),
        draw.intervals([HOSTILE], {"t": [Interval(1.0, 0.0, 2.0)]}, label=HOSTILE),
        draw.distribution(np.ones(3), label=HOSTILE, mark=1.0, mark_label=HOSTILE),
        draw.molecule("CCO", legend=HOSTILE),
    ]
    for svg in pictures:
        assert not elements(svg, "script")
        assert any("<script>" in t for t in texts(svg))


def test_a_very_long_name_is_cut_rather_than_pushing_the_plot_out() -> None:
    long = "a very long name of a column " * 20
    for svg in (
        draw.parity({long: numbers()}, quantity=long, unit=long, scores=long),
        draw.curves(np.arange(3), {long: np.ones(3), "b": np.ones(3)}, label=long),
        draw.intervals([long], {long: [Interval(1.0, 0.0, 2.0)]}, label=long, note=long),
        draw.distribution(np.ones(3), np.ones(3), label=long, names=(long, long), mark=1.0, mark_label=long),
        draw.roc({long: (np.arange(2.0), np.arange(2.0))}),
        draw.molecule("CCO", legend=long),
    ):
        assert max(len(t) for t in texts(svg)) < 80


# molecules


def test_a_molecule_is_drawn_and_named() -> None:
    svg = draw.molecule(ASPIRIN, width=200, height=150, legend="aspirin")
    assert len(elements(svg, "path")) >= 13  # one per bond at least
    assert texts(svg) == ["aspirin"]
    assert ElementTree.fromstring(svg).get("width") == "200"


def test_a_picture_has_no_ground() -> None:
    assert "#FFFFFF" not in draw.molecule(ASPIRIN).upper()
    assert not elements(draw.molecule(ASPIRIN), "rect")


def test_text_and_molecule_give_the_same_drawing_and_the_molecule_is_not_changed() -> None:
    mol = Chem.MolFromSmiles(ASPIRIN)
    assert draw.molecule(mol) == draw.molecule(ASPIRIN)
    assert mol.GetNumConformers() == 0


@pytest.mark.parametrize(
    "smiles",
    [
        "C",
        "[Na+].[Cl-]",
        "*c1ccccc1",
        "[2H]C([2H])[2H]",
        "C[N+](C)(C)C",
        "F[C@H](Cl)Br",
        "F/C=C/F",
        "[Fe+2]",
        "B",
        "C1CC2CCC1C2",
        "CC#N",
        "c1ccc2[nH]ccc2c1",
        "[H][H]",
        "N->[Pt](Cl)Cl",
        "OP(=O)(O)O",
        "C%10CC%10",
    ],
)
def test_unusual_structures_are_drawn(smiles: str) -> None:
    assert elements(draw.molecule(smiles), "path")


@pytest.mark.parametrize(
    ("structure", "message"),
    [
        ("not a smiles", "not a SMILES"),
        ("C(C)(C)(C)(C)C", "valence"),
        ("", "empty"),
        ("CC>>CO", "reaction"),
        (Chem.Mol(), "without atoms"),
        ("C" * (MAX_ATOMS + 1), f"at most {MAX_ATOMS}"),
    ],
    ids=["noise", "valence", "empty", "reaction", "no atoms", "too large"],
)
def test_what_cannot_be_drawn_is_a_clear_error(structure: str | Chem.Mol, message: str) -> None:
    with pytest.raises(InputError, match=f"drawing a molecule.*{message}"):
        draw.molecule(structure)


def test_a_picture_too_small_to_see_is_an_error() -> None:
    with pytest.raises(InputError, match="20 x 20 pixels"):
        draw.molecule("CCO", width=20, height=20)


def test_weights_colour_their_atoms_and_say_what_they_mean() -> None:
    svg = draw.molecule("CCO", atom_weights=[-2.0, 0.0, 1.0], weights_mean=("less active", "more active"))
    grounds = [re.findall(r"fill:#(\w{6})", e.get("style", ""))[0] for e in elements(svg, "ellipse")]
    shown = sorted(rgb(f"#{ground}") for ground in grounds)  # zero is not coloured
    np.testing.assert_allclose(shown, sorted([diverging(-1.0), diverging(0.5)]), atol=1 / 255)
    assert texts(svg) == ["less active −2", "+2 more active", "0"]


def test_unknown_and_zero_weights_leave_atoms_uncoloured() -> None:
    svg = draw.molecule("CCO", atom_weights=np.array([np.nan, 0.0, 0.0]))
    assert not elements(svg, "ellipse")
    assert texts(svg)[-1] == "0"


def test_one_scale_makes_drawings_comparable() -> None:
    assert "+4 raises" in texts(draw.molecule("CCO", atom_weights=[1.0, 0.0, 0.0], largest_weight=4.0))


def test_weights_must_fit_the_atoms() -> None:
    with pytest.raises(InputError, match=r"shape \(2,\).*one per atom: 3"):
        draw.molecule("CCO", atom_weights=[1.0, 2.0])


def test_the_palette_is_symmetric_and_readable() -> None:
    def contrast(a: tuple[float, ...], b: tuple[float, ...]) -> float:
        def light(colour: tuple[float, ...]) -> float:
            linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in colour]
            return float(np.dot(linear, [0.2126, 0.7152, 0.0722])) + 0.05

        high, low = sorted((light(a), light(b)), reverse=True)
        return high / low

    white = (1.0, 1.0, 1.0)
    assert diverging(0.0) == white
    assert diverging(-9.0) == diverging(-1.0)
    assert contrast(rgb(INK), white) > 7
    assert contrast(rgb(MUTED), white) > 4.5
    assert all(contrast(rgb(INK), diverging(v)) > 4.5 for v in (-1.0, -0.5, 0.5, 1.0))
    assert CYCLE[:2] == (BLUE, VERMILLION)


def test_analogues_are_aligned_on_the_common_core() -> None:
    first, second = (readable(s) for s in SULFONAMIDES)
    core = common_core(first, second)
    assert len(core) > 20
    assert all(first.GetAtomWithIdx(i).GetSymbol() == second.GetAtomWithIdx(j).GetSymbol() for i, j in core)
    pair = draw.pair(*SULFONAMIDES)
    assert pair.n_shared == len(core)
    places = [_places(svg) for svg in (pair.first, pair.second)]
    assert [len(p) for p in places] == [len(core)] * 2
    # the same shape up to size and place: all distances between tinted atoms are in one ratio
    distances = [np.linalg.norm(p[:, None] - p[None], axis=2) for p in places]
    order = [np.argsort([i for i, _ in core]), np.argsort([j for _, j in core])]
    by_pair = [d[np.ix_(np.argsort(o), np.argsort(o))] for d, o in zip(distances, order, strict=True)]
    ratio = by_pair[0][by_pair[1] > 0] / by_pair[1][by_pair[1] > 0]
    np.testing.assert_allclose(ratio, ratio.mean(), rtol=0.05)


def _places(svg: str) -> np.ndarray:
    """Centres of the tinted atoms, in the order of the atoms."""
    return np.array([[float(e.get("cx", 0)), float(e.get("cy", 0))] for e in elements(svg, "ellipse")])


def test_a_drawing_follows_another_one_where_asked() -> None:
    alone, aligned = draw.molecule(SULFONAMIDES[1]), draw.molecule(SULFONAMIDES[1], align_to=SULFONAMIDES[0])
    assert alone != aligned
    assert draw.molecule(SULFONAMIDES[1], align_to=SULFONAMIDES[1]) == alone


@pytest.mark.parametrize("other", ["C", "[Na+]", "*c1ccccc1", "CCO", "CCCCCCCCCC"])
def test_a_reference_that_shares_little_does_no_harm(other: str) -> None:
    assert elements(draw.molecule("c1ccccc1CCN", align_to=other), "path")


def test_unlike_molecules_make_a_pair_without_a_common_part() -> None:
    pair = draw.pair("CCO", "c1ccccc1")
    assert pair.n_shared == 0
    assert pair.first == draw.molecule("CCO")
    assert not elements(pair.second, "ellipse")


def test_atoms_are_not_drawn_over_each_other_for_the_sake_of_alignment() -> None:
    """Laid onto the first, the thiazole of the second would come to lie on its benzene ring."""
    first, second = (
        "O=S(=O)(Nc1ncns1)c1ccc(Oc2cccnc2-c2ccccc2)c(C#N)c1",
        "Cc1cc(-c2ccccc2Oc2ccc(S(=O)(=O)Nc3nccs3)cc2F)sn1",
    )
    pair = draw.pair(first, second)
    for svg in (pair.first, pair.second):
        places = _places(svg)
        apart = np.linalg.norm(places[:, None] - places[None], axis=2) + np.diag(np.full(len(places), np.inf))
        assert apart.min() > 5  # pixels; a bond is about 15 here
