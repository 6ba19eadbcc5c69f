"""Python's garbage collector, kept out of the way while molecules are read by the thousand."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def without_collector() -> Iterator[None]:
    """Python's cyclic garbage collector held back, while objects are made by the thousand that hold no cycle.

    It would look at all of them every few hundred, which takes a quarter of the time of reading them.
    """
    ran = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if ran:
            gc.enable()
