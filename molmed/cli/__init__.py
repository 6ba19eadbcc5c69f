"""The command line: one file per verb, each calls one function of a room below."""

import ast
import importlib
import os
import sys
import traceback
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from molmed.errors import MolmedError, UnknownNameError

_WRONG_INPUT, _BUG, _INTERRUPTED = 1, 2, 130


def verbs() -> dict[str, str]:
    """Every verb with its one-line description, from the source text: nothing is imported."""
    found = {}
    for path in sorted(Path(__file__).parent.glob("*.py")):
        if not path.name.startswith("_"):
            text = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
            found[path.stem] = text.split("\n", 1)[0]
    return found


def command() -> None:
    """The installed command: `main`, and then out at once.

    Everything has been closed by then; taking the interpreter apart takes 0.22 s once torch is loaded.
    """
    code = main()
    with suppress(BrokenPipeError, ValueError):  # nobody reads any more, or `main` has closed it
        sys.stdout.flush()
        sys.stderr.flush()
    os._exit(code)


def main(argv: Sequence[str] | None = None) -> int:
    """Run one verb.

    Returns 0, or 1 where the user's input is wrong (one sentence on stderr), or 2 for a bug (its traceback), or
    130 when interrupted.
    """
    words = list(sys.argv[1:] if argv is None else argv)
    if not words or words[0] in ("-h", "--help"):
        print(_help())
        return 0
    if words[0] in ("-V", "--version"):
        from importlib.metadata import version

        print(f"molmed {version('molmed')}")
        return 0
    try:
        known = verbs()
        if words[0] not in known:
            raise UnknownNameError("running molmed", words[0], known)
        return int(importlib.import_module(f"molmed.cli.{words[0]}").main(words[1:]))
    except MolmedError as error:
        print(f"molmed: {error}", file=sys.stderr)
        return _WRONG_INPUT
    except KeyboardInterrupt:
        print("molmed: interrupted", file=sys.stderr)
        return _INTERRUPTED
    except BrokenPipeError:  # the reader of our output (head, less) has left
        sys.stderr.close()
        return 0
    except Exception:  # noqa: BLE001 - the outermost frame: whatever it is, it is ours
        traceback.print_exc()
        print("molmed: this is a bug in molmed, please report it with the lines above", file=sys.stderr)
        return _BUG


def _help() -> str:
    known = verbs()
    width = max(map(len, known))
    lines = [f"  {name:<{width}}  {text}" for name, text in known.items()]
    return "\n".join(
        [
            "molmed: from a SMILES file to ranked, believable predictions.",
            "",
            "usage: molmed VERB ...      molmed VERB --help      molmed --version",
            "",
            *lines,
            "",
            "Research use only.",
        ]
    )
