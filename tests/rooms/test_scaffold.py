"""Bemis-Murcko scaffolds: rings and what joins them, without stereo."""

import pytest

from molmed.chem.scaffold import murcko


@pytest.mark.parametrize(
    ("smiles", "scaffold"),
    [
        ("Cc1ccccc1", "c1ccccc1"),
        ("OC(=O)c1ccc(CCc2ccncc2)cc1Cl", "c1ccc(CCc2ccncc2)cc1"),
        ("CC1CCC(=O)N1", "O=C1CCCN1"),  # a double bond at the ring belongs to it
        ("CC(=O)Nc1ccccc1", "c1ccccc1"),
        ("c1ccc2[nH]ccc2c1", "c1ccc2[nH]ccc2c1"),
        ("C1CC1.CC", "C1CC1"),
        ("CCO", ""),
        ("C", ""),
        ("", ""),
        ("not a smiles", ""),
    ],
)
def test_the_scaffold_is_rings_and_linkers(smiles: str, scaffold: str) -> None:
    assert murcko(smiles) == scaffold


def test_stereoisomers_share_a_scaffold() -> None:
    left, right = "C[C@H]1CC[C@@H](c2ccccc2)NC1", "C[C@@H]1CC[C@@H](c2ccccc2)NC1"
    assert murcko(left) == murcko(right) == "c1ccc(C2CCCCN2)cc1"
    assert murcko(r"C1CC1/C=C/C1CC1") == murcko(r"C1CC1/C=C\C1CC1") == "C(=CC1CC1)C1CC1"


def test_spellings_of_one_molecule_share_a_scaffold() -> None:
    assert murcko("c1ccccc1CCN2CCOCC2C") == murcko("CC1COCCN1CCC1=CC=CC=C1")


def test_a_scaffold_is_its_own_scaffold() -> None:
    for smiles in ("OC(=O)c1ccc(CCc2ccncc2)cc1Cl", "CC1CCC(=O)N1", "CC12CCC3C(CCC4CC(=O)CCC34C)C1CCC2O"):
        assert murcko(murcko(smiles)) == murcko(smiles)


def test_looking_is_silent(capfd: pytest.CaptureFixture[str]) -> None:
    murcko("not a smiles")
    assert capfd.readouterr() == ("", "")
