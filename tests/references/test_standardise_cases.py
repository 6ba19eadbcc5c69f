"""The cases of MolVS and of the ChEMBL structure pipeline, and ChEMBL's lists of salts and solvents.

Where molmed claims the same rule the answers are equal. Every case in which they are not stands in a table here, with
what molmed answers and the reason; a test fails when a case of a table agrees, and when one outside of it does not.
"""

import csv
import gzip
from collections.abc import Callable
from pathlib import Path

import pytest
from rdkit import Chem, rdBase

from molmed.chem import Molecule, read
from molmed.chem.standardise import STEPS
from molmed.data.table import chunks
from molmed.results import Rejected

pytestmark = pytest.mark.mirror
STEP = dict(STEPS)


def table(mirror: Path, name: str) -> list[dict[str, str]]:
    with gzip.open(mirror / "standardisation" / name, "rt", encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def canonical(smiles: str) -> str:
    return str(Chem.CanonSmiles(smiles)) if smiles else ""


def parent(smiles: str) -> str:
    """What molmed makes of a text: a parent's SMILES, or the reason of the rejection."""
    found = read(smiles)
    return found.smiles if isinstance(found, Molecule) else str(found.reason)


def by_steps(*names: str) -> Callable[[str], str]:
    def run(smiles: str) -> str:
        mol = Chem.MolFromSmiles(smiles)
        for name in names:
            mol = STEP[name](mol)
        return str(Chem.MolToSmiles(mol))

    return run


# MolVS function -> what answers the same question here
MOLVS_CLAIMED: dict[str, Callable[[str], str]] = {
    "standardize_smiles": by_steps("metals", "normalise", "reionise"),
    "normalize_smiles": by_steps("normalise"),
    "uncharge_smiles": by_steps("uncharge"),
    "fragment_removal_smiles": by_steps("strip"),
    "charge_parent_smiles": parent,
    "fragment_parent_smiles": parent,
}
MOLVS_NOT_CLAIMED = {
    "canonicalize_tautomer_smiles": "no tautomer is chosen: an assay was done with the one that was drawn or another",
    "enumerate_tautomers_smiles": "tautomers are not enumerated",
    "enumerate_resonance_smiles": "resonance forms are not enumerated",
    "validate_smiles": "its messages are MolVS's own; what molmed finds are the reasons of a rejected or warned row",
}

NEUTRAL = "MolVS's fragment parent keeps its charge, molmed's parent is neutral"
ORGANIC = "an organic fragment is the parent even beside a larger inorganic one (MolVS: with prefer_organic)"
MOLVS_DIFFERENCES: dict[str, dict[str, tuple[str, str]]] = {
    "fragment_removal_smiles": {
        "test_fragment_removal7": ("CC(=O)O", "with leave_last=False all may go; molmed always keeps a fragment"),
    },
    "fragment_parent_smiles": {
        "test_fragment_parent": ("O=C(O)c1ccccc1", NEUTRAL),
        "test_fragment_parent2": ("O=C(O)c1ccccc1", NEUTRAL),
        "test_fragment_parent3": ("CC(C)N", NEUTRAL),
        "test_fragment_parent4": ("C[CH2][Hg][S]c1ccccc1C(=O)O", NEUTRAL),
        "test_fragment_parent5": ("O=C(O)O", NEUTRAL),
        "test_fragment_parent6": ("O=C(O)c1ccccc1", NEUTRAL),
        "test_fragment_parent8": ("mixture", "several organic parents are a mixture, not the largest of them"),
        "test_fragment_parent9": ("O=[N+]([O-])O", NEUTRAL),
        "test_fragment_parent10": ("O=[N+]([O-])O", NEUTRAL),
        "test_fragment_parent11": ("C", ORGANIC),
        "test_fragment_parent12": ("C", NEUTRAL),
    },
    "charge_parent_smiles": {"test_charge_parent11": ("[CH2]", ORGANIC)},
}
"""Function -> case -> (what molmed answers, why)."""


def test_every_function_of_molvs_is_claimed_or_not(mirror: Path) -> None:
    cases = table(mirror, "molvs_cases.csv.gz")
    assert {case["function"] for case in cases} == {*MOLVS_CLAIMED, *MOLVS_NOT_CLAIMED}
    claimed = [case for case in cases if case["function"] in MOLVS_CLAIMED]
    assert (len(cases), len(claimed)) == (272, 128)


@pytest.mark.parametrize("function", MOLVS_CLAIMED)
def test_molvs_cases(function: str, mirror: Path) -> None:
    differences = {}
    with rdBase.BlockLogs():
        for case in table(mirror, "molvs_cases.csv.gz"):
            if case["function"] == function:
                ours = MOLVS_CLAIMED[function](case["input_smiles"])
                if ours != canonical(case["expected"]):
                    differences[case["test"]] = ours
    assert differences == {case: answer for case, (answer, _) in MOLVS_DIFFERENCES.get(function, {}).items()}


ISOTOPE = "isotopes are kept: a labelled compound is another one than the unlabelled"
MIXED = "two organic parents: the row is rejected and names both, where ChEMBL keeps the mixture"
INORGANIC = "a salt without carbon keeps its largest fragment, neutral, where ChEMBL keeps the whole salt"
NOT_READ = "not read: RDKit refuses the drawing, and molmed mends no drawings"
SALTS_LATER = "ChEMBL has a stage of its own for salts; molmed's parent is stripped and neutral already"
WAVY = "a wavy bond means unknown geometry here; ChEMBL's standardiser draws it as one of the two"
CHEMBL_DIFFERENCES = {
    "14": ("mixture", MIXED),
    "22": ("syntax", NOT_READ),
    "23": ("valence", NOT_READ),
    "24": ("O=C(O)c1ccccc1", SALTS_LATER),
    "26": ("CNC[C@H](O)c1ccc(O)c(O)c1", SALTS_LATER),
    "39": ("[2H]C([2H])([2H])Oc1ccc2c(c1)[C@]13CCCC[C@@H]1[C@H](C2)N(C([2H])([2H])[2H])CC3", ISOTOPE),
    "40": ("mixture", MIXED),
    "41": ("O=S(=O)(O)O", INORGANIC),
    "42": ("O=P(O)(O)O", INORGANIC),
    "43": (
        "CCO/N=C(\\C(=O)N[C@@H]1C(=O)N2C(C(=O)O)=C(Sc3nc(-c4cc[n+](C)cc4)cs3)CS[C@H]12)c1nsc(NP(=O)([O-])O)n1",
        "the charge that balances a quaternary nitrogen stands on the strongest acid (reionise); ChEMBL leaves it",
    ),
    "45": ("[85Sr+2]", INORGANIC),
    "48": ("C1=CC[n+]2ccc(c3ccccc32)NCCCCCNc2cc[n+](c3ccccc23)C1", WAVY),
    "49": ("Nc1ccccc1C(=O)C=Cc1ccccc1", WAVY),
    "52": ("valence", NOT_READ),
    "55": ("syntax", NOT_READ),
    "63": ("O=C(O)CCCCCCCCCCCCCCc1ccc([123I])cc1", ISOTOPE),
    "72": ("mixture", MIXED),
    "74": ("O=C(O)Cn1cc([131I])c(=O)c([131I])c1", ISOTOPE),
    "75": (
        "NC(c1c(Cl)cc(O)cc1Cl)C(N)c1c(Cl)cc(O)cc1Cl",
        "the one organic fragment is the parent; ChEMBL leaves structures with platinum as they are",
    ),
    "76": ("[2H]C1(c2ccccc2)OC[C@@H]([C@H]2OC(=O)C(O)=C2O)O1", ISOTOPE),
    "77": ("[2H]C1(c2ccccc2)OC[C@@H]([C@H]2OC(=O)C(O)=C2O)O1", ISOTOPE),
}

# cases for ChEMBL's checker and the like, without an expected structure: those that are no structure here, and why
CHEMBL_REJECTED = {"1": "no_atoms", "5": "syntax", "28": "valence", "53": "valence", "54": "valence", "61": "valence"}


def drawings(mirror: Path) -> dict[str, str]:
    """Case -> molmed's answer to ChEMBL's drawing, from the SD file on."""
    found = {}
    for chunk in chunks(mirror / "standardisation" / "chembl_pipeline_examples_in.sdf.gz"):
        rejected: dict[int, Rejected] = {r.row - chunk.start: r for r in chunk.rejected}
        for i, case in enumerate(chunk.columns["example"]):
            smiles = chunk.columns["smiles"][i]
            if i in rejected:
                found[str(case)] = str(rejected[i].reason)
            else:
                found[str(case)] = "no_atoms" if smiles is None else parent(str(smiles))
    return found


def test_chembls_drawings(mirror: Path) -> None:
    cases = table(mirror, "chembl_pipeline_cases.csv.gz")
    with rdBase.BlockLogs():
        ours = drawings(mirror)
        assert sorted(ours) == sorted(case["example"] for case in cases)
        expected = {c["example"]: canonical(c["expected_smiles_rdkit"]) for c in cases if c["expected_stage"]}
    assert (len(cases), len(expected)) == (77, 45)
    differences = {case: ours[case] for case, wanted in expected.items() if ours[case] != wanted}
    assert differences == {case: answer for case, (answer, _) in CHEMBL_DIFFERENCES.items()}
    others = {case: answer for case, answer in ours.items() if case not in expected}
    assert {case: answer for case, answer in others.items() if answer in set(CHEMBL_REJECTED.values())} == (
        CHEMBL_REJECTED
    )


def test_odd_drawings_are_the_structures_they_are_named_after(mirror: Path) -> None:
    """Nitrile, alkynes and allene with bent bonds: coordinates do not count."""
    (chunk,) = chunks(mirror / "standardisation" / "chembl_pipeline_odd_drawings.sdf.gz")
    assert dict(zip(chunk.columns["id"], map(parent, map(str, chunk.columns["smiles"])), strict=True)) == {
        "nitrile 1": "N#Cc1ccccc1",
        "acetylene 1": "CC#Cc1ccccc1",
        "acetylene 2": "CC#Cc1ccccc1",
        "allene 1": "CC=C=CC",
    }


FATTY = "a fatty or other simple alkanoic acid: as often a parent as a counter-ion"
ESTER = "named in esters and other prodrugs, where it is bound and no counter-ion"
OWN = "a drug, nutrient, reagent or building block of its own: beside another organic molecule it makes a mixture"
DRAWN = "ChEMBL draws it without charges, which RDKit refuses; drawn with them it is stripped"
SALTS_KEPT = {
    **dict.fromkeys(
        ("Butyrate", "Capric acid", "Caproate", "Caprylic acid", "Elaidate and oleate", "Enanthate", "Isobutyric acid"),
        FATTY,
    ),
    **dict.fromkeys(("Laurate", "Palmitate", "Pivalate", "Propionate", "Stearate", "Tebutate", "Undecylate"), FATTY),
    **dict.fromkeys(("Undecylenate", "Valerate", "Dichloroacetate"), FATTY),
    **dict.fromkeys(
        ("Buciclate", "Cyclotate", "Cypionate", "Daproate", "Etabonate", "Etiprate", "Etzadroxil", "Fostedate"), ESTER
    ),
    **dict.fromkeys(("Furoate", "Hybenzate", "Mebutate", "Mepesuccinate", "Metazoate", "Phenpropionate"), ESTER),
    **dict.fromkeys(("Phenylacetate", "Acetylsulfate", "Trifenatate"), ESTER),
    **dict.fromkeys(
        ("2-(Diethylamino)ethanol", "2-Oxoglutaric acid", "4-(2-Hydroxyethyl)morpholine", "4-Acetamidobenzoic acid"),
        OWN,
    ),
    **dict.fromkeys(("Aceturate", "Benethamine", "Butyraldehyde", "Camphoric acid", "Deanol", "Dimepranol"), OWN),
    **dict.fromkeys(("Dimethylethanolamine", "EDTA", "Ethanediol", "Ethyl Butanoate", "Glucuronate"), OWN),
    **dict.fromkeys(("Glucuronate open form", "Glycerate", "Glycerophosphate", "Imidazole", "Methionil"), OWN),
    **dict.fromkeys(("Mesitylene sulfonate", "Methyl Iodide", "Mucic acid", "Nicotinate", "Phosphanilate"), OWN),
    **dict.fromkeys(("Piperazine", "Propylene Glycol", "Sulfosalicylate", "Terephthalate", "Triclofenate"), OWN),
    "Hexafluorophosphate": DRAWN,
    "Nitrate": DRAWN,
    "Orotic acid": "ChEMBL draws its ring without hydrogens, which RDKit cannot make aromatic",
}

DRUG = "COc1ccc(C2CCNCC2)cc1"
"""On no list; neutral and unchanged by every step."""


@pytest.mark.parametrize(("kind", "n", "kept"), [("salts", 163, SALTS_KEPT), ("solvents", 9, {})])
def test_what_chembl_strips_is_stripped_from_a_drug(kind: str, n: int, kept: dict[str, str], mirror: Path) -> None:
    path = mirror / "standardisation" / f"chembl_pipeline_{kind}.tsv.gz"
    with gzip.open(path, "rt", encoding="utf-8") as file:
        listed = [(name.strip(), smiles.strip()) for name, smiles in (line.split("\t") for line in file)]
    assert len(listed) == n
    assert parent(DRUG) == DRUG
    with rdBase.BlockLogs():
        left = {name for name, smiles in listed if parent(f"{DRUG}.{smiles}") != DRUG}
    assert left == set(kept)


@pytest.mark.parametrize("ion", ["F[P-](F)(F)(F)(F)F", "[O-][N+](=O)[O-]", "O[N+](=O)[O-]"])
def test_ions_that_chembl_draws_without_charges_are_stripped(ion: str) -> None:
    assert parent(f"{DRUG}.{ion}") == DRUG
