"""An audit finds what was planted, says in which rows it stands, and says nothing of a table without faults."""

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_breast_cancer

from molmed.data.audit import CHECKS, KINDS, Audit, AuditConfig, Finding, Rows, Severity, audit, finding
from molmed.data.bundled import nav17
from molmed.errors import ConfigError, InputError, UnknownNameError

CLEAN = nav17().iloc[::4].reset_index(drop=True)
"""255 sulfonamides with pAct: no repeats, no stereoisomers, no limits."""

PHENYLALANINE = ("C[C@H](N)Cc1ccccc1", "C[C@@H](N)Cc1ccccc1", "CC(N)Cc1ccccc1")


def table(**changes: list) -> pd.DataFrame:
    """The clean table with rows appended: column -> cells."""
    return pd.concat([CLEAN, pd.DataFrame(changes)], ignore_index=True)


def only(made: Audit, kind: str, about: str | None = None) -> Finding:
    found = made.of(kind, about)
    assert len(found) == 1, [f"{f.kind}: {f.sentence}" for f in made.findings]
    return found[0]


def groups(f: Finding) -> list[set[int]]:
    return [set(f.rows[f.groups == g].tolist()) for g in np.unique(f.groups)]


def kinds(made: Audit) -> set[str]:
    return {f.kind for f in made.findings}


def test_nothing_is_found_in_a_table_without_faults() -> None:
    made = audit(CLEAN)
    assert made.findings == ()
    assert set(made.not_found) == set(made.looked_for)
    assert {"unreadable", "repeat", "conflict", "unit", "outlier", "cliff"} <= set(made.looked_for)
    assert not [kind for kind in made.looked_for if kind.startswith(("fold", "file", "column"))]
    assert [t.name for t in made.rows.targets] == ["pAct"]


def test_every_kind_of_finding_is_told_in_words() -> None:
    assert all(KINDS.values())
    assert len(set(KINDS.values())) == len(KINDS)


def test_unreadable_rows_are_found_by_reason() -> None:
    made = audit(
        table(smiles=["not a smiles", "C(C)(C)(C)(C)C", "", "CCc1ccccc1N.CCCCN"], id=list("abcd"), pAct=[5.0] * 4)
    )
    found = {f.about: f.rows.tolist() for f in made.of("unreadable")}
    n = len(CLEAN)
    assert found == {"syntax": [n], "valence": [n + 1], "empty": [n + 2], "mixture": [n + 3]}
    assert "row 255 (a): not a SMILES: not" in made.of("unreadable", "syntax")[0].sentence


def test_a_file_of_which_most_is_unreadable_is_an_error() -> None:
    assert audit({"smiles": ["x", "y", "CCO"]}).of("unreadable")[0].severity == Severity.ERROR
    assert audit({"smiles": ["x", "CCN", "CCO"]}).of("unreadable")[0].severity == Severity.WARNING


def test_torn_rows_of_a_file_have_their_address(tmp_path: Path) -> None:
    (tmp_path / "torn.csv").write_text("smiles,y\nCCO,1\nCCN,2,3\nCCC,2\n", encoding="utf-8")
    made = audit(tmp_path / "torn.csv")
    f = only(made, "unreadable")
    assert (f.about, f.rows.tolist()) == ("row_shape", [1])
    places = made.frame()
    assert places.loc[places["kind"] == "unreadable", ["file", "row"]].to_numpy().tolist() == [["torn.csv", 1]]


def test_repeats_are_counted_by_text_and_by_structure() -> None:
    """One as the same text, one as another spelling, one as a salt, one as another charge."""
    first = CLEAN["smiles"][0]
    rows = [first, "OCC", "CCO", "CCN", "CCN.Cl", "CC(=O)O", "CC(=O)[O-].[Na+]", "CCCN"]
    made = audit(table(smiles=rows, id=list("abcdefgh"), pAct=[CLEAN["pAct"][0], 5, 5, 5.1, 5.1, 5.2, 5.2, 5.3]))
    f, n = only(made, "repeat"), len(CLEAN)
    assert sorted(map(sorted, groups(f))) == [[0, n], [n + 1, n + 2], [n + 3, n + 4], [n + 5, n + 6]]
    assert dict(f.numbers) == {"structures": 4, "rows": 8, "by_text": 1, "variants": 3, "salts": 2}
    assert f.severity == Severity.NOTE
    assert not made.of("conflict")
    assert only(made, "salt").rows.tolist() == [n + 4, n + 6]


def test_conflicting_classes_are_errors_and_counted_by_both_notions() -> None:
    made = audit({
        "smiles": ["CCO", "CCO", "CCN", "CCN.Cl", "CCC", "CCC", "CCCC", "CCCC"],
        "active": [0, 1, 0, 1, 1, 1, 0, None],
    })  # fmt: skip
    f = only(made, "conflict")
    assert f.severity == Severity.ERROR
    assert groups(f) == [{0, 1}, {2, 3}]
    assert dict(f.numbers) == {"structures": 2, "by_text": 1}
    assert f.notes[0] == "0 and 1"
    assert "2 structures were measured more than once with different values of active (1 by their" in f.sentence


def test_repeated_numbers_disagree_beyond_the_tolerance() -> None:
    again = CLEAN.iloc[:4].assign(pAct=lambda t: t.pAct + np.asarray([0.0, 0.1, 0.7, 2.0]), id=list("abcd"))
    made = audit(pd.concat([CLEAN, again], ignore_index=True))
    f, n = only(made, "conflict"), len(CLEAN)
    assert groups(f) == [{3, n + 3}, {2, n + 2}, {1, n + 1}], "the farthest first"
    assert f.numbers["structures"] == 3
    assert f.numbers["beyond_tolerance"] == 2
    assert f.severity == Severity.WARNING
    assert f.numbers["noise"] == pytest.approx(np.sqrt((0.1**2 + 0.7**2 + 2.0**2) / 2 / 4))
    wide = audit(pd.concat([CLEAN, again], ignore_index=True), settings=AuditConfig(tolerance=5.0))
    assert only(wide, "conflict").severity == Severity.NOTE
    assert only(wide, "conflict").numbers["beyond_tolerance"] == 0


def test_values_over_many_decades_are_compared_as_logarithms() -> None:
    """9 nM and 12 nM agree, however little that is of a standard deviation in nM; 10 nM and 1,000 nM do not."""
    rng = np.random.default_rng(0)
    nanomolar = 10 ** rng.normal(2, 1.2, len(CLEAN))
    rows = CLEAN.assign(IC50=nanomolar).drop(columns="pAct")
    again = rows.iloc[:2].assign(IC50=[nanomolar[0] * 1.2, nanomolar[1] * 100], id=["a", "b"])
    f = only(audit(pd.concat([rows, again], ignore_index=True)), "conflict")
    assert f.numbers["structures"] == 2
    assert f.numbers["beyond_tolerance"] == 1
    assert "log10" in f.sentence


def test_the_ceiling_of_r2_is_what_the_noise_of_repeats_leaves() -> None:
    rng = np.random.default_rng(0)
    truth = rng.normal(6, 1.0, len(CLEAN))
    rows = pd.concat([CLEAN, CLEAN.assign(id=lambda t: t.id + "x")], ignore_index=True)
    rows["pAct"] = np.tile(truth, 2) + rng.normal(0, 0.5, len(rows))
    f = only(audit(rows), "conflict")
    assert f.numbers["noise"] == pytest.approx(0.5, rel=0.15)
    assert f.numbers["r2_ceiling"] == pytest.approx(0.8, abs=0.06)
    assert "R² above 0." in f.sentence


def test_stereoisomers_are_found_and_are_no_repeats() -> None:
    made = audit(table(smiles=list(PHENYLALANINE), id=list("abc"), pAct=[5.0, 8.0, 6.0]))
    f, n = only(made, "stereo"), len(CLEAN)
    assert groups(f) == [{n, n + 1, n + 2}]
    assert dict(f.numbers) == {"structures": 3, "skeletons": 1, "different": 1}
    assert not made.of("repeat")


def test_isotopes_are_no_stereoisomers() -> None:
    made = audit(table(smiles=["[2H]C(C)O", "CCO"], id=["a", "b"], pAct=[5.0, 5.0]))
    assert not kinds(made) & {"stereo", "repeat"}


def test_tautomers_are_found_where_that_is_asked_for() -> None:
    rows = table(smiles=["O=c1cccc[nH]1", "Oc1ccccn1"], id=["a", "b"], pAct=[5.0, 5.0])
    assert "tautomer" not in kinds(audit(rows))
    assert "tautomer" not in audit(rows).looked_for
    made = audit(rows, settings=AuditConfig(tautomers=True))
    assert groups(only(made, "tautomer")) == [{len(CLEAN), len(CLEAN) + 1}]


def test_an_id_of_different_structures_is_found_and_one_of_the_same_is_not() -> None:
    made = audit(table(smiles=["CCO", "CCN", "CCC", "CCC", "CCCC"], id=["x", "x", "y", "y", ""], pAct=[5.0] * 5))
    n = len(CLEAN)
    assert groups(only(made, "id_repeated")) == [{n, n + 1}]
    assert only(made, "id_missing").rows.tolist() == [n + 4]


def test_limits_are_not_measurements() -> None:
    cells = CLEAN["pAct"].astype(object).tolist()
    cells[3], cells[5], cells[7], cells[9] = ">9", "< 4.5", "≤4", "n.d."
    made = audit(CLEAN.assign(pAct=cells))
    f = only(made, "label_censored")
    assert f.rows.tolist() == [3, 5, 7]
    assert dict(f.numbers) == {"upper": 2, "lower": 1}
    assert only(made, "label_unreadable").rows.tolist() == [9]
    assert not made.of("label_missing")


def test_a_column_of_relations_says_which_values_are_limits() -> None:
    rows = CLEAN.assign(standard_relation="'='")
    rows.loc[[2, 4], "standard_relation"] = ["'>'", "<"]
    again = rows.iloc[[2]].assign(pAct=3.0, standard_relation="=", id="z")
    made = audit(pd.concat([rows, again], ignore_index=True))
    assert only(made, "label_censored").rows.tolist() == [2, 4]
    assert not made.of("conflict"), "a limit contradicts nothing"


def test_several_units_in_one_column_are_an_error() -> None:
    made = audit(CLEAN.assign(units=["nM"] * (len(CLEAN) - 2) + ["uM", "uM"]))
    f = only(made, "units")
    assert f.rows.tolist() == [len(CLEAN) - 2, len(CLEAN) - 1]
    assert f.severity == Severity.ERROR
    assert "nM 253, uM 2" in f.sentence


@pytest.mark.parametrize("factor", [3, 6, -3, 9])
def test_a_value_in_another_unit_is_found_by_the_bulk(factor: int) -> None:
    rng = np.random.default_rng(1)
    values = 10 ** rng.normal(1.5, 0.45, len(CLEAN))
    values[[10, 20]] *= 10.0**factor
    made = audit(CLEAN.assign(IC50=values).drop(columns="pAct"))
    f = only(made, "unit")
    assert sorted(f.rows.tolist()) == [10, 20]
    assert f.notes[0] == f"off by about 10^{abs(factor)}"
    assert not made.of("outlier"), "they are explained"


@pytest.mark.parametrize("share", [0.03, 0.15, 0.3, 0.45])
def test_a_second_unit_in_many_rows_is_found(share: float) -> None:
    """Where a third of the rows is in another unit the median and its deviation no longer show it."""
    rng = np.random.default_rng(2)
    values = 10 ** rng.normal(1.5, 0.5, len(CLEAN))
    wanted = set(rng.permutation(len(CLEAN))[: int(share * len(CLEAN))].tolist())
    values[list(wanted)] *= 1000
    found = set(only(audit(CLEAN.assign(IC50=values).drop(columns="pAct")), "unit").rows.tolist())
    assert len(found & wanted) >= 0.97 * len(wanted)
    assert len(found - wanted) <= 0.03 * len(CLEAN)


def test_a_value_in_another_unit_is_found_by_its_own_repeat() -> None:
    """Among values so spread that the bulk says nothing."""
    rng = np.random.default_rng(3)
    values = rng.normal(6, 1.6, len(CLEAN))
    rows = CLEAN.assign(pAct=values)
    values[:3] = [6.0, 6.2, 5.5]
    again = rows.iloc[:3].assign(pAct=[9.03, 6.5, 7.0], id=list("abc"))
    made = audit(pd.concat([rows.assign(pAct=values), again], ignore_index=True))
    f = only(made, "unit")
    assert f.rows.tolist() in ([len(CLEAN)], [0])
    assert f.numbers["of_repeats"] == 1


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize(
    "draw",
    [
        lambda rng, n: rng.normal(6, 1, n),
        lambda rng, n: 10 ** rng.normal(2, 1.2, n),
        lambda rng, n: rng.lognormal(1, 1, n),
        lambda rng, n: rng.uniform(0, 100, n),
        lambda rng, n: 100 * rng.beta(6, 0.8, n),
        lambda rng, n: np.concatenate([rng.normal(5, 0.5, n // 2), rng.normal(7.2, 0.5, n - n // 2)]),
    ],
    ids=["normal", "decades", "lognormal", "uniform", "bound", "two modes"],
)
def test_no_unit_is_suspected_in_values_of_one_unit(draw, seed: int) -> None:
    values = draw(np.random.default_rng(seed), len(CLEAN))
    assert not kinds(audit(CLEAN.assign(pAct=values))) & {"unit", "units"}


def test_a_value_far_from_all_others_is_an_outlier() -> None:
    values = CLEAN["pAct"].to_numpy().copy()
    values[7] = 640.0
    f = only(audit(CLEAN.assign(pAct=values)), "outlier")
    assert f.rows.tolist() == [7]


def test_a_constant_target_is_an_error_and_an_empty_one_as_well() -> None:
    made = audit(CLEAN.assign(a=1, b=None), targets=["a", "b"])
    assert only(made, "label_constant", "a").severity == Severity.ERROR
    assert "no row has a value of b" in only(made, "label_constant", "b").sentence
    assert "50 % of the values of 2 targets are not known" in only(made, "label_missing").sentence


def test_a_rare_class_is_found_and_a_very_rare_one_warned_of() -> None:
    n = len(CLEAN)
    made = audit(
        CLEAN.assign(active=[1] * 12 + [0] * (n - 12), toxic=[1] * 3 + [0] * (n - 3), half=np.arange(n) % 2),
        targets=["active", "toxic", "half"],
    )
    found = {f.about: f.severity for f in made.of("label_balance")}
    assert found == {"active": Severity.NOTE, "toxic": Severity.WARNING}
    assert only(made, "label_balance", "toxic").rows.tolist() == [0, 1, 2]


def test_words_for_classes_are_read_and_other_words_are_classes() -> None:
    n = len(CLEAN)
    words = ["active" if i % 3 else "inactive" for i in range(n)]
    made = audit(CLEAN.assign(state=words, group=[f"g{i % 3}" for i in range(n)]), targets=["state", "group"])
    state, group = made.rows.targets
    assert (state.kind, sorted(set(state.values))) == ("classes", [0.0, 1.0])
    assert group.classes == ("g0", "g1", "g2")
    assert not made.findings


def test_the_floor_of_an_assay_is_found() -> None:
    values = np.maximum(CLEAN["pAct"].to_numpy() + np.random.default_rng(0).normal(0, 0.01, len(CLEAN)), 5.0)
    at_floor = np.flatnonzero(values == 5.0)
    assert len(at_floor) > 20
    f = only(audit(CLEAN.assign(pAct=values)), "label_limit")
    assert sorted(f.rows.tolist()) == at_floor.tolist()
    assert f.numbers["end"] == "lowest"


def test_nearly_equal_structures_with_very_different_values_are_told_of() -> None:
    """Long chains: their fingerprints are the same."""
    chains = [f"{'C' * n}O" for n in (16, 17, 18)]
    f = only(audit(table(smiles=chains, id=list("abc"), pAct=[4.0, 4.1, 9.0])), "cliff")
    n = len(CLEAN)
    assert groups(f) == [{n, n + 2}, {n + 1, n + 2}]


def folded() -> pd.DataFrame:
    """Five folds of the clean table by position, with one leak of each sort."""
    n = len(CLEAN)
    leaks = table(
        smiles=[CLEAN["smiles"][0], *PHENYLALANINE[:2], f"{'C' * 16}O", f"{'C' * 17}O", "C1CCNCC1C", "C1CCNCC1CC"],
        id=list("abcdefg"),
        pAct=[5.0] * 7,
    )
    # chains and rings without a scaffold in common with the rest; the ring's is in two folds
    leaks["fold"] = [*(i % 5 for i in range(n)), 1, 0, 1, 0, 1, 0, 1]
    return leaks


def test_leaks_between_folds_are_found() -> None:
    rows = folded()
    made = audit(rows, fold="fold", targets=["pAct"])
    n = len(CLEAN)
    assert groups(only(made, "fold_structure")) == [{0, n}]
    assert only(made, "fold_structure").severity == Severity.ERROR
    assert groups(only(made, "fold_stereo")) == [{n + 1, n + 2}]
    near = groups(only(made, "fold_near"))
    assert {n + 3, n + 4} in near
    ring = made.rows.scaffold[made.rows.of_skeleton[n + 5]]
    assert ring >= 0
    assert {n + 5, n + 6} in groups(only(made, "fold_scaffold"))


def test_folds_that_have_nothing_in_common_have_no_leak() -> None:
    made = audit(CLEAN, split="scaffold", folds=5)
    assert not kinds(made) & {"fold_structure", "fold_stereo", "fold_near", "fold_scaffold", "fold_missing"}
    assert {"fold_structure", "fold_near", "fold_scaffold"} <= set(made.not_found)
    random = audit(CLEAN, split="random", folds=5)
    assert kinds(random) >= {"fold_scaffold"}
    assert not random.of("fold_structure")


def test_rows_without_a_fold_and_folds_with_other_values_are_told_of() -> None:
    order = np.argsort(np.argsort(CLEAN["pAct"].to_numpy()))
    folds = pd.Series((order * 5 // len(CLEAN)).astype(str))
    folds[17] = None
    made = audit(CLEAN.assign(fold=folds), fold="fold")
    assert only(made, "fold_missing").rows.tolist() == [17]
    assert "is not that of the rest" in only(made, "fold_label").sentence


def test_leaks_between_two_files_are_found(tmp_path: Path) -> None:
    train = CLEAN.iloc[:200]
    test = pd.DataFrame(
        {
            "smiles": [train["smiles"][0], train["smiles"][1] + ".Cl", *CLEAN["smiles"].iloc[200:230]],
            "id": ["new0", "new1", *CLEAN["id"].iloc[200:230]],
            "pAct": [train["pAct"][0], train["pAct"][1] + 3, *CLEAN["pAct"].iloc[200:230]],
        }
    )
    for name, frame in (("train.csv", train), ("test.csv", test)):
        frame.to_csv(tmp_path / name, index=False)
    made = audit(tmp_path / "train.csv", tmp_path / "test.csv")
    f = only(made, "file_structure")
    assert sorted(map(sorted, groups(f))) == [[0, 200], [1, 201]]
    assert groups(f)[0] == {1, 201}, "the ones that disagree come first"
    assert dict(f.numbers) == {"structures": 2, "rows": 4, "by_text": 1}
    assert "2 of the 200 rows of train.csv (1 %), 2 of the 32 rows of test.csv (6 %)" in f.sentence
    assert groups(only(made, "file_conflict")) == [{1, 201}]
    assert only(made, "file_conflict").numbers["compared"] == 2
    places = made.frame()
    own = places[places["kind"] == "file_structure"]
    assert set(zip(own["file"], own["row"], strict=True)) == {
        ("train.csv", 0), ("train.csv", 1), ("test.csv", 0), ("test.csv", 1),
    }  # fmt: skip


def test_two_files_without_anything_in_common_have_no_leak() -> None:
    made = audit(CLEAN.iloc[:100], CLEAN.iloc[100:])
    assert not kinds(made) & {"file_structure", "file_stereo", "file_conflict", "file_id"}
    assert "file_structure" in made.not_found


def test_targets_of_two_files_are_paired_by_name_or_alone() -> None:
    other = CLEAN.iloc[:20].rename(columns={"pAct": "exp"}).assign(exp=lambda t: t.exp + 2)
    assert only(audit(CLEAN, other), "file_conflict").numbers["compared"] == 20
    named = audit(CLEAN.assign(other=1.0), other, targets=["pAct"], other_targets=["exp"])
    assert only(named, "file_conflict").numbers["compared"] == 20
    with pytest.raises(InputError, match="--other-target"):
        audit(CLEAN, other, targets=["pAct"])


def test_the_order_of_the_rows_changes_no_finding() -> None:
    rows = folded()
    shuffled = rows.sample(frac=1, random_state=0).reset_index(drop=True)
    one, other = (audit(r, fold="fold", targets=["pAct"]) for r in (rows, shuffled))
    assert [(f.kind, f.n, dict(f.numbers)) for f in one.findings] == [
        (f.kind, f.n, dict(f.numbers)) for f in other.findings
    ]


def patients() -> pd.DataFrame:
    data = load_breast_cancer(as_frame=True)
    return data.data.iloc[:, :4].assign(malignant=1 - data.target)


def test_a_table_without_structures_is_audited_by_its_cells() -> None:
    rows = patients()
    assert audit(rows).findings == ()
    doubled = pd.concat([rows, rows.iloc[[5]], rows.iloc[[6]].assign(malignant=lambda t: 1 - t.malignant)])
    made = audit(doubled.reset_index(drop=True), targets=["malignant"])
    n = len(rows)
    assert groups(only(made, "row_repeated")) == [{5, n}, {6, n + 1}]
    assert groups(only(made, "conflict")) == [{6, n + 1}]
    assert not kinds(made) & {"repeat", "unreadable", "stereo"}
    assert any("no column of structures found" in s for s in made.said)


def test_columns_of_a_table_without_structures_are_checked() -> None:
    rows = patients().rename(columns=lambda c: c.replace(" ", "_")).astype({"mean_radius": object})
    rows.loc[3, "mean_radius"] = "wide"
    rows.loc[[4, 5], "mean_area"] = 0.0
    rows["site"] = "here"
    rows["often_empty"] = [1.5 if i % 3 == 0 else None for i in range(len(rows))]
    made = audit(rows, targets=["malignant"])
    assert only(made, "column_text", "mean_radius").rows.tolist() == [3]
    assert only(made, "column_zero", "mean_area").rows.tolist() == [4, 5]
    assert only(made, "column_constant", "site").severity == Severity.NOTE
    assert only(made, "column_missing", "often_empty").n == sum(i % 3 > 0 for i in range(len(rows)))


def test_leaks_between_tables_without_structures_are_found() -> None:
    rows = patients()
    made = audit(rows.iloc[:300], rows.iloc[298:], targets=["malignant"])
    assert only(made, "file_structure").numbers["structures"] == 2


def test_findings_of_very_many_targets_are_told_as_one() -> None:
    n = len(CLEAN)
    columns = {f"assay{i}": [1] * (3 + i) + [0] * (n - 3 - i) for i in range(7)}
    few = audit(CLEAN[["smiles"]].assign(**columns))
    assert len(few.of("label_balance")) == 7
    columns |= {f"more{i}": columns["assay0"] for i in range(9)}
    many = audit(CLEAN[["smiles"]].assign(**columns))
    f = only(many, "label_balance")
    assert f.about == "16 targets"
    assert f.n == 9
    assert f.numbers["assay6"] == 9


def test_a_check_of_ones_own_is_one_more_function() -> None:
    def boron(rows: Rows, settings: AuditConfig) -> Iterator[Finding]:
        found = [i for i, s in enumerate(rows.structure.tolist()) if s >= 0 and "B(" in rows.parents[s]]
        if found:
            yield finding("boron", Severity.NOTE, f"{len(found)} boronic acids", np.asarray(found))

    made = audit(table(smiles=["OB(O)c1ccccc1"], id=["a"], pAct=[5.0]), checks=(*CHECKS, boron))
    assert [(f.kind, f.rows.tolist()) for f in made.findings] == [("boron", [len(CLEAN)])]


def test_the_json_holds_the_findings_with_addresses() -> None:
    made = audit(folded(), fold="fold", targets=["pAct"])
    values = json.loads(json.dumps(made.plain(), allow_nan=False))
    assert values["files"] == [{"name": "the table", "rows": 262, "readable": 262, "structures": 261}]
    assert [f["kind"] for f in values["findings"]] == [f.kind for f in made.findings]
    leak = next(f for f in values["findings"] if f["kind"] == "fold_structure")
    assert leak["addresses"] == [
        {"group": 0, "file": "the table", "row": 0, "id": CLEAN["id"][0]},
        {"group": 0, "file": "the table", "row": 255, "id": "a"},
    ]
    assert [f["severity"] for f in values["findings"]] == sorted(
        (f["severity"] for f in values["findings"]), key=["error", "warning", "note"].index
    )


def test_what_is_guessed_is_said_and_what_cannot_be_is_not_taken() -> None:
    made = audit(CLEAN.assign(weight=1.5 * np.arange(len(CLEAN)), rings=2.5))
    assert [t.name for t in made.rows.targets] == ["pAct"]
    assert any("'pAct' taken as measured" in s for s in made.said)
    unclear = audit(CLEAN.rename(columns={"pAct": "a"}).assign(b=lambda t: t.a * 2))
    assert unclear.rows.targets == ()
    assert any("name some with --target" in s for s in unclear.said)


def test_columns_that_are_not_there_are_refused_with_the_nearest() -> None:
    for asked in ({"targets": ["pAtc"]}, {"fold": "pAtc"}, {"smiles": "pAtc"}):
        with pytest.raises(InputError, match="did you mean 'pAct'"):
            audit(CLEAN, **asked)
    with pytest.raises(UnknownNameError, match="did you mean 'scaffold'"):
        audit(CLEAN, split="scafold")
    with pytest.raises(ConfigError, match="one of them"):
        audit(CLEAN, split="scaffold", fold="id")
    with pytest.raises(InputError, match="no row"):
        audit({"smiles": []})
