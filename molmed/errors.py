"""One exception family: every error a user can cause is one clear sentence."""

from collections.abc import Iterable
from difflib import get_close_matches
from typing import Any


class MolmedError(Exception):
    """Root of every exception molmed raises on purpose."""


class InputError(MolmedError):
    """The user's input is wrong (exit code 1).

    The message is one sentence made of what was asked, what came, what is accepted and what to do.

    Args:
        asked: what the caller wanted done, e.g. "reading column 'pIC50' of nav17.csv".
        came: what was found instead, e.g. "columns smiles, pAct, id".
        accepted: what would have been right, e.g. "the name of a numeric column".
        remedy: the next step, e.g. "pass --target pAct".
    """

    def __init__(self, asked: str, came: str, accepted: str = "", remedy: str = "") -> None:
        self.asked, self.came, self.accepted, self.remedy = asked, came, accepted, remedy
        text = f"{asked}: found {came}"
        if accepted:
            text += f"; accepted: {accepted}"
        if remedy:
            text += f"; {remedy}"
        super().__init__(text if text.endswith("?") else text + ".")

    def __reduce__(self) -> tuple[Any, ...]:
        """The same error in another process: worker processes hand their exceptions back this way."""
        return _again, (type(self), self.args, self.__dict__)


def _again(cls: type[InputError], args: tuple[Any, ...], values: dict[str, Any]) -> InputError:
    error = cls.__new__(cls, *args)
    error.__dict__.update(values)
    return error


class ConfigError(InputError):
    """A configuration key or value is unknown or out of range."""


class ArtefactError(InputError):
    """A stored model is missing, damaged, from the future, or does not fit this installation."""


class UnknownNameError(InputError):
    """A name is not on the shelf it was looked up on."""

    def __init__(self, asked: str, name: str, known: Iterable[str]) -> None:
        known = sorted(known)
        near = nearest(name, known)
        remedy = f"did you mean {' or '.join(repr(n) for n in near)}?" if near else "choose one of them"
        super().__init__(asked, repr(name), ", ".join(known), remedy.rstrip("."))


def nearest(name: str, known: Iterable[str], n: int = 2) -> list[str]:
    """The (at most n) known names closest in spelling to a wrong one, best first."""
    by_lower = {k.lower(): k for k in known}
    return [by_lower[m] for m in get_close_matches(name.lower(), list(by_lower), n=n, cutoff=0.5)]
