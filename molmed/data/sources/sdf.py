"""Structure-data files (.sdf .sd .mol), V2000 and V3000: a mol block and properties a record."""

import os
import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from molmed.data.address import Address, place, shown
from molmed.data.columns import unique
from molmed.data.sources._contract import Chunk, Source
from molmed.data.sources._cut import cut
from molmed.data.text import Truncated, blocks
from molmed.errors import InputError
from molmed.results import Fault, Reason

_LONGEST = 10_000_000
"""Characters of one record; chosen: a structure of 50,000 atoms has 4 million. A longer one costs its row."""

_MOST_NAMES = 10_000
"""Different properties of one file; chosen: vendors' files have some dozens."""

_HEADER = re.compile(r">(?:[ \t].*)?<(.*)>[^>]*")
"""The line above a property's value, from its first "<" to its last ">"; a value such as ">10" is none."""

_REASONS = {
    "AtomValenceException": Reason.VALENCE,
    "KekulizeException": Reason.AROMATICITY,
    "AtomKekulizeException": Reason.AROMATICITY,
}
_POLYMERS = frozenset({"SRU", "MON", "MER", "COP", "CRO", "GRA", "MOD", "ANY"})


class SDF(Source):
    """One row per record, which ends with a line that starts with "$$$$"; the last one may lack it (a .mol file).

    Columns: "smiles", the canonical SMILES of the mol block (None where the block has no atoms); "id", the name line
    (no such column where every name line is empty); then every property that any record has, in the order of their
    first appearance, None where a record lacks it. A property that is itself called smiles or id becomes "smiles.1",
    "id.1". To know the columns the file is read once more beforehand.

    A block that cannot be read, breaks the rules of valence or aromaticity, is a query or a polymer is a rejected
    row, whose id and properties are kept. Coordinates, the chiral flag and groups of relative stereo are not kept.
    """

    extensions = (".sdf", ".sd", ".mol")
    optional = True

    def columns(self, path: Address) -> tuple[str, ...]:
        """("smiles", "id", properties...); without "id" if every name line is empty."""
        return tuple(_scan(path, _stamp(path)).values())

    def chunks(self, path: Address, rows: int = 10_000) -> Iterator[Chunk]:
        """The rows, `rows` at a time."""
        names = _scan(path, _stamp(path))
        start = 0
        for batch, done in cut(_records(path), rows):
            columns: dict[str, list[object]] = {column: [None] * len(batch) for column in names.values()}
            rejected = []
            for i, lines in enumerate(batch):
                name, smiles, properties = ("", lines, {}) if isinstance(lines, Fault) else _read(lines)
                if isinstance(smiles, Fault):
                    rejected.append(smiles.at(start + i, name or str(start + i)))
                else:
                    columns["smiles"][i] = smiles
                if _ID in names:
                    columns[names[_ID]][i] = name or None
                for key, value in properties.items():
                    if key in names:
                        columns[names[key]][i] = value or None
            yield Chunk(start, columns, len(batch), tuple(rejected), done=done)
            start += len(batch)


_SMILES, _ID = ("smiles",), ("id",)
"""Keys of the columns that are no properties; a property's key is its name."""

_Key = str | tuple[str]


def _stamp(path: Address) -> tuple[int, ...]:
    """Changes when a file of this machine does; fsspec addresses have none."""
    here = place(path)
    if isinstance(here, str) or not os.path.isfile(here):
        return ()
    found = os.stat(here)
    return found.st_ino, found.st_size, found.st_mtime_ns


def _scan(path: Address, stamp: tuple[int, ...]) -> dict[_Key, str]:
    """Key of every column -> its name. Remembered: one table asks for its columns several times."""
    return _scan_once(path, stamp) if stamp else _scan_once.__wrapped__(path, stamp)


@lru_cache(maxsize=1024)
def _scan_once(path: Address, stamp: tuple[int, ...]) -> dict[_Key, str]:
    seen: dict[str, None] = {}
    named = some = mol = False
    for batch, _ in _records(path):
        for lines in batch:
            if isinstance(lines, Fault):
                if lines is _TOO_LONG:
                    some = mol = True
                continue
            some = True
            named = named or bool(lines and lines[0].strip())
            end = _end(lines)
            mol = mol or end > 0
            for line in lines[end:]:
                if line[:1] == ">" and (found := _HEADER.fullmatch(line)):
                    seen[found[1].strip()] = None
        if len(seen) > _MOST_NAMES:
            came = f"more than {_MOST_NAMES} differently named properties"
            raise InputError(f"reading {shown(path)}", came, "an SD file", "check the export")
    if not some:
        raise InputError(f"reading {shown(path)}", "no whole record", "mol blocks and $$$$", "check the export")
    if not mol:
        remedy = "give it the extension of its format"
        raise InputError(f"reading {shown(path)}", "no line 'M  END'", "mol blocks, as in an SD file", remedy)
    keys: list[_Key] = [_SMILES, *([_ID] if named else []), *seen]
    return dict(zip(keys, unique([key if isinstance(key, str) else key[0] for key in keys]), strict=True))


def _records(path: Address) -> Iterator[tuple[list[list[str] | Fault], float]]:
    """The lines of each record, or why there are none, some at a time, with the share of the file read so far.

    Records are told apart by their last lines alone, so that none can take part of its neighbour.
    """
    held: list[str] = []
    size = 0
    done = 1.0
    try:
        for lines, done in blocks(path):
            found: list[list[str] | Fault] = []
            start = 0
            for end, line in enumerate(lines):
                if line[:4] == "$$$$":
                    found.append(_TOO_LONG if size > _LONGEST else held + lines[start:end])
                    held, size, start = [], 0, end + 1
            if start < len(lines) and size <= _LONGEST:
                held += lines[start:]
                size += sum(map(len, lines[start:]))
                if size > _LONGEST:
                    held = []
            if found:
                yield found, done
    except Truncated:
        yield [Fault("read", Reason.FILE_TRUNCATED, "the compressed file ends in the middle or is damaged")], done
        return
    if size > _LONGEST:
        yield [_TOO_LONG], done
    elif any(line.strip() for line in held):
        yield [held], done


_TOO_LONG = Fault("read", Reason.ROW_SHAPE, f"a record of more than {_LONGEST:,} characters without $$$$")


def _end(lines: list[str]) -> int:
    """The line after "M  END"; without one, that of the first property, or 0 if there is neither."""
    try:
        return lines.index("M  END", 4) + 1  # after the name and the two other lines of a head, which may say anything
    except ValueError:
        marks = ((i, line) for i, line in enumerate(lines) if i)
        return next((i + (line[0] == "M") for i, line in marks if line[:6] == "M  END" or _HEADER.fullmatch(line)), 0)


def _read(lines: list[str]) -> tuple[str, str | Fault | None, dict[str, str]]:
    """(name line, SMILES or None or why there is none, properties) of one record."""
    end = _end(lines)
    name = lines[0].strip() if lines else ""
    block, rest = (lines[:end], lines[end:]) if end else (lines, [])
    return name, _smiles(block), _properties(rest)


def _properties(lines: list[str]) -> dict[str, str]:
    """A value is every line up to the next header, without the empty lines at its end; repeated names are joined."""
    found: dict[str, list[str]] = {}
    value: list[str] = []
    for line in lines:
        if line[:1] == ">" and (header := _HEADER.fullmatch(line)):
            value = _trimmed(found.setdefault(header[1].strip(), []))
        else:
            value.append(line)
    return {name: "\n".join(_trimmed(value)) for name, value in found.items()}


def _trimmed(value: list[str]) -> list[str]:
    while value and not value[-1].strip():
        value.pop()
    return value


def _smiles(lines: list[str]) -> str | Fault | None:
    """The canonical SMILES of a mol block, None without atoms, or why there is none."""
    from rdkit import Chem, rdBase

    if not any(line.strip() for line in lines[1:]):
        return None
    block = "\n".join(lines)
    with rdBase.BlockLogs():
        try:
            mol = Chem.MolFromMolBlock(block)
            if mol is None:
                return _why_not(lines, block)
            if mol.GetNumAtoms() == 0:
                return None
            smiles: str = Chem.MolToSmiles(mol)
            if "*" in smiles or "~" in smiles or "M  STY" in block or "SGROUP" in block:
                return _not_a_molecule(mol) or smiles
            return smiles
        except RuntimeError as error:  # RDKit's own checks of what cannot be
            return Fault("read", Reason.SYNTAX, f"RDKit cannot read the mol block ({_first_line(error)})")


def _not_a_molecule(mol: Any) -> Fault | None:
    """Why a block is a query or a polymer, whose SMILES would mean something else."""
    from rdkit import Chem

    for atom in mol.GetAtoms():
        if atom.HasQuery() and atom.GetAtomicNum() == 0 and not re.fullmatch(r"\*|\[\d*\*.*\]", atom.GetSmarts()):
            detail = f"atom {atom.GetIdx() + 1} is the query {atom.GetSmarts()}; one molecule is expected"
            return Fault("read", Reason.SYNTAX, detail)
    for bond in mol.GetBonds():
        if bond.GetBondType() in (Chem.BondType.UNSPECIFIED, Chem.BondType.ZERO):
            detail = f"bond {bond.GetIdx() + 1} has no order or is a query; one molecule is expected"
            return Fault("read", Reason.SYNTAX, detail)
    for group in Chem.GetMolSubstanceGroups(mol):
        if group.GetProp("TYPE") in _POLYMERS:
            return Fault("read", Reason.SYNTAX, f"a polymer (group {group.GetProp('TYPE')}); one molecule is expected")
    return None


def _why_not(lines: list[str], block: str) -> Fault:
    """Read again without chemistry to say what is wrong; only unreadable records pay for it."""
    from rdkit import Chem

    raw = Chem.MolFromMolBlock(block, sanitize=False, removeHs=False)
    if raw is not None:
        for problem in Chem.DetectChemistryProblems(raw):
            reason = _REASONS.get(problem.GetType())
            if reason is not None:
                return Fault("read", reason, re.sub(r"\s+", " ", problem.Message()).strip())
        return Fault("read", Reason.SYNTAX, "RDKit cannot sanitise the mol block")
    if not any(line[:6] == "M  END" for line in lines):
        return Fault("read", Reason.SYNTAX, "the mol block has no line 'M  END'")
    counts = lines[3].strip() if len(lines) > 3 else ""
    return Fault("read", Reason.SYNTAX, f"RDKit cannot read the mol block (counts line {counts[:40]!r})")


def _first_line(error: Exception) -> str:
    return next((line.strip() for line in str(error).splitlines() if line.strip()), type(error).__name__)[:80]


ENTRY = SDF
