"""The audit finds in the public files what is known to be wrong with them, counted by others or independently here."""

import csv
from collections import defaultdict
from pathlib import Path

import pandas as pd
import pytest

from molmed.chem import Molecule, read
from molmed.data.audit import Audit, Finding, audit

pytestmark = pytest.mark.mirror

# the mirror's README: "Molecules repeated with different labels", and what is in it by standardised structure.
# The README counts exact SMILES texts. Standardised, a salt or another charge is the same structure: herg holds six
# bases twice, once drawn protonated or as a hydrochloride, and bbb_martins propranolol with and without its chlorine.
CONFLICTS = {
    "ppbr_az": (691, 691),
    "clearance_hepatocyte_az": (193, 193),
    "bbb_martins": (10, 11),
    "herg": (3, 9),
    "half_life_obach": (2, 2),
    "cyp2d6_substrate_carbonmangels": (1, 1),
}


def files(mirror: Path, name: str) -> list[Path]:
    return [mirror / "tdc_admet" / name / f"{part}.csv.gz" for part in ("train_val", "test")]


def only(made: Audit, kind: str) -> Finding:
    (found,) = made.of(kind)
    return found


@pytest.mark.parametrize("name", CONFLICTS)
def test_molecules_repeated_with_different_labels_are_found(mirror: Path, name: str) -> None:
    made = audit(*files(mirror, name))
    by_text, by_structure = CONFLICTS[name]
    numbers = only(made, "conflict").numbers
    assert (numbers["by_text"], numbers["structures"]) == (by_text, by_structure)
    table = pd.concat([pd.read_csv(f) for f in files(mirror, name)])
    assert (table.groupby("Drug")["Y"].nunique() > 1).sum() == by_text
    table["parent"] = [m.smiles if isinstance(m := read(s), Molecule) else None for s in table["Drug"]]
    assert (table.groupby("parent")["Y"].nunique() > 1).sum() == by_structure


def test_a_training_file_alone_is_audited_where_the_test_file_is_not_there(mirror: Path) -> None:
    """caco2_wang: three by their texts in the part that is here, and fexofenadine and its hydrochloride."""
    numbers = only(audit(files(mirror, "caco2_wang")[0]), "conflict").numbers
    assert (numbers["by_text"], numbers["structures"]) == (3, 4)


@pytest.mark.slow
def test_every_unreadable_row_is_found(mirror: Path) -> None:
    """Every row of BAD_ROWS.csv that stands in a CSV table; what else is refused is no structure of one compound."""
    bad = defaultdict(set)
    with (mirror / "BAD_ROWS.csv").open(encoding="utf-8", newline="") as file:
        for entry in csv.DictReader(file):
            bad[entry["path"]].add(int(entry["row_index_0based"]))
    tables = [path for path in bad if path.endswith(".csv.gz") and "pubchem100k" not in path and "hiv" not in path]
    assert len(tables) >= 8
    for path in tables:
        made = audit(mirror / path)
        found = {int(made.rows.row[r]): f.about for f in made.of("unreadable") for r in f.rows.tolist()}
        assert bad[path] <= set(found), path
        more = {found[row] for row in set(found) - bad[path]}
        assert more <= {"mixture", "standardise", "no_atoms", "reaction"}, (path, more)


def test_the_molecules_that_two_collections_share_are_found(mirror: Path) -> None:
    """bbbp and bbb_martins are one collection, spelled differently: by their texts they share 75 of 1,571."""
    first, second = mirror / "moleculenet/bbbp.csv.gz", files(mirror, "bbb_martins")[0]
    made = audit(first, second)
    f = only(made, "file_structure")
    own = [pd.read_csv(path)[column] for path, column in ((first, "smiles"), (second, "Drug"))]
    parents = [{m.smiles for s in texts if isinstance(m := read(s), Molecule)} for texts in own]
    shared = parents[0] & parents[1]
    assert f.numbers["structures"] == len(shared) > 1500
    listed = {made.rows.parents[s] for s in made.rows.structure[f.rows].tolist()}
    assert listed == shared
    assert f.numbers["by_text"] == len(set(own[0].str.strip()) & set(own[1].str.strip()))
    assert only(made, "conflict").about == "p_np"


def test_a_leak_that_no_text_shows_is_found(mirror: Path) -> None:
    """hERG's official parts have no SMILES in common, but six structures, drawn with another charge or as a salt."""
    made = audit(*files(mirror, "herg"))
    f = only(made, "file_structure")
    assert f.numbers["by_text"] == 0
    assert f.numbers["structures"] == 6
    texts = {(made.rows.file[r], made.rows.given[r]) for r in f.rows.tolist()}
    for file, path in enumerate(files(mirror, "herg")):
        drugs = set(pd.read_csv(path)["Drug"])
        assert {text for where, text in texts if where == file} <= drugs
    assert only(made, "id_missing").n == 22


def test_limits_of_an_uncurated_file_are_found(mirror: Path) -> None:
    path = mirror / "activity/chembl_herg_raw.csv.gz"
    made = audit(path)
    relations = pd.read_csv(path)["standard_relation"].astype(str).str.strip("'")
    valued = pd.read_csv(path)["standard_value"].notna()
    assert only(made, "label_censored").n == int((~relations.isin(["=", "nan", ""]) & valued).sum())


def test_the_limits_of_an_assay_are_found(mirror: Path) -> None:
    """AstraZeneca's clearances end at 3 and 150 mL/min/g."""
    made = audit(*files(mirror, "clearance_hepatocyte_az"))
    values = pd.concat([pd.read_csv(f)["Y"] for f in files(mirror, "clearance_hepatocyte_az")])
    found = {f.numbers["value"]: f.n for f in made.of("label_limit")}
    assert found == {3.0: int((values == 3).sum()), 150.0: int((values == 150).sum())}


def test_faults_of_a_clinical_table_are_found(mirror: Path) -> None:
    """heart_dirty: its README says that six unknown cells became 0 (two of them in thal) and a row was doubled."""
    made = audit(mirror / "clinical/tabular/heart_dirty.csv", targets=["num"])
    assert only(made, "row_repeated").n == 2
    assert [(f.about, f.n) for f in made.of("column_zero")] == [("thal", 2)]
    clean = audit(mirror / "clinical/tabular/heart_cleveland.csv", targets=["num"])
    assert not clean.findings
