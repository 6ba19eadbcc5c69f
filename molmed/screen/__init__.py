"""Machine: a library of any size through a model, in bounded memory.

The room can be called: `molmed.screen(library, run)` is `molmed.screen.loop.screen`. Importing any file of the
room puts the room itself on the package, where the function of the same name would stand.
"""

import sys
from types import ModuleType
from typing import Any


class _Room(ModuleType):
    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """See `molmed.screen.loop.screen`."""
        from molmed.screen.loop import screen

        return screen(*args, **kwargs)


sys.modules[__name__].__class__ = _Room
