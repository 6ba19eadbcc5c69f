"""Several files as one table: their columns agree, their rows are numbered through."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from molmed.data.address import Address, name_of, open_bytes, shown
from molmed.data.sources import Chunk, Source
from molmed.errors import InputError
from molmed.results import Rejected


@dataclass(frozen=True)
class Files:
    """Files in order, each with its reader; at least one.

    Args:
        asked: what the user named: a folder, a pattern or a file.
    """

    asked: Address
    parts: tuple[tuple[Address, Source], ...]

    def columns(self) -> tuple[str, ...]:
        """Every column of any of the files.

        Raises:
            InputError: a file lacks a column of another one, and its format does not allow for that (SDF does).
        """
        (first, source), *others = self.parts
        if not others:
            return source.columns(first)
        found = [(path, source, source.columns(path)) for path, source in self.parts]
        names = tuple(dict.fromkeys(name for _, _, own in found for name in own))
        for path, source, own in found:
            lacking = [name for name in names if name not in own]
            if lacking and not source.optional:
                other = next(p for p, _, theirs in found if lacking[0] in theirs)
                came = f"no column {_listed(lacking)} in {name_of(path)}, while {name_of(other)} has it"
                remedy = "name files of one kind by a pattern, or one file"
                raise InputError(f"reading {shown(self.asked)} as one table", came, "the same columns in each", remedy)
        return names

    def chunks(self, rows: int) -> Iterator[Chunk]:
        """The rows of one file after the other; no chunk holds rows of two."""
        if len(self.parts) == 1:
            path, source = self.parts[0]
            yield from (replace(c, source=shown(path)) for c in source.chunks(path, rows))
            return
        names = self.columns()
        sizes = [_size(path) for path, _ in self.parts]
        whole = sum(sizes) or float("nan")
        start, before = 0, 0.0
        pending: Chunk | None = None  # the last one of all reaches 1, also if files without rows come after it
        for (path, source), size in zip(self.parts, sizes, strict=True):
            first = start
            for chunk in source.chunks(path, rows):
                if pending is not None:
                    yield pending
                done = (before + size * chunk.done) / whole
                pending = _moved(chunk, names, first, shown(path), min(done, 1.0) if done == done else done)
                start = first + chunk.start + chunk.n
            before += size
        if pending is not None:
            yield replace(pending, done=1.0)


def _moved(chunk: Chunk, names: Sequence[str], first: int, source: str, done: float) -> Chunk:
    lacking: list[object] = [None] * chunk.n
    columns = {name: chunk.columns.get(name, lacking) for name in names}
    rejected = tuple(
        Rejected(r.row + first, str(r.row + first) if r.id == str(r.row) else r.id, r.step, r.reason, r.detail)
        for r in chunk.rejected
    )
    return Chunk(first + chunk.start, columns, chunk.n, rejected, source, done)


def _size(path: Address) -> float:
    with open_bytes(path) as (_, size):
        return float("nan") if size is None else float(size)


def _listed(names: Sequence[str]) -> str:
    return ", ".join(map(repr, names[:5])) + (", ..." if len(names) > 5 else "")


def refuse_strangers(asked: Address, paths: Sequence[Address], unread: Sequence[Address], accepted: str) -> None:
    """Raise InputError if some of the files of a folder cannot be read: to leave them out would lose rows."""
    if not unread:
        return
    names = [name_of(path) for path in unread]
    endings = Counter(name_of(p)[name_of(p).find(".") :] for p in paths if p not in set(unread) and "." in name_of(p))
    ending = endings.most_common(1)[0][0] if endings else ".csv"
    remedy = f"name the files by a pattern such as {shown(paths[0]).rsplit('/', 1)[0]}/*{ending}"
    raise InputError(f"reading {shown(asked)} as one table", f"the file {_listed(names)}", accepted, remedy)
