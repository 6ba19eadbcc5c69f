"""Which columns of a table hold its structures and ids, where a format has a place of their own for them."""

from collections.abc import Mapping

from molmed.data.address import Address, shown
from molmed.errors import InputError


def structure_column(columns: Mapping[str, str], path: Address) -> str:
    """The column with the SMILES, by its name.

    Raises:
        InputError: no column has a usual name of one.
    """
    from molmed.data.columns import SMILES_NAMES, plain

    by_name = {plain(name): name for name in reversed(list(columns)) if columns[name] == "object"}
    found = next((by_name[known] for known in SMILES_NAMES if known in by_name), None)
    if found is None:
        came = "the columns " + ", ".join(columns)
        raise InputError(f"writing {shown(path)}", came, "a column of SMILES", "call it smiles, or write a .csv")
    return found


def id_column(columns: Mapping[str, str]) -> str:
    """The column with the ids, by its name; "" without one."""
    from molmed.data.columns import ID_NAMES, plain

    by_name = {plain(name): name for name in reversed(list(columns))}
    return next((by_name[known] for known in ID_NAMES if known in by_name), "")
