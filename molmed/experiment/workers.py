"""Work in several processes, its results in the order of what went in."""

import os
import sys
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_all_start_methods, get_context
from typing import Any, TypeVar

from threadpoolctl import threadpool_limits

from molmed.errors import MolmedError

In = TypeVar("In")
Out = TypeVar("Out")

_AHEAD = 2
"""Pieces waiting for each process: enough for none to be idle, few enough for memory to stay bounded."""

_work: Callable[[Any], Any] | None = None


def ordered(work: Callable[[In], Out], pieces: Iterable[In], jobs: int) -> Iterator[Out]:
    """work(piece) for every piece, in order, by `jobs` processes of one thread each.

    Where the system can fork, the processes inherit `work` and all it holds; elsewhere it is sent to them.

    Raises:
        MolmedError: a process has died (killed by the system for its memory, or crashed in a library).
    """
    context = get_context("fork" if "fork" in get_all_start_methods() else "spawn")
    waiting: deque[Future[Out]] = deque()
    with ProcessPoolExecutor(jobs, mp_context=context, initializer=_start, initargs=(work,)) as pool:
        try:
            for piece in pieces:
                waiting.append(pool.submit(_run, piece))
                if len(waiting) > _AHEAD * jobs:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        except BrokenProcessPool as error:
            raise MolmedError(
                "A worker process has died: it ran out of memory or a library crashed on a row; "
                "run again with fewer jobs or in one process to see which."
            ) from error
        finally:
            for future in waiting:
                future.cancel()


def spread(jobs: int) -> Callable[[Callable[[In], Out], Iterable[In]], Iterator[Out]]:
    """`map`, or with several jobs (0: one for each core) `ordered` where there is more than one piece."""
    jobs = jobs or os.cpu_count() or 1

    def run(work: Callable[[In], Out], pieces: Iterable[In]) -> Iterator[Out]:
        waiting = list(pieces)
        return ordered(work, waiting, min(jobs, len(waiting))) if len(waiting) > 1 else map(work, waiting)

    return run if jobs > 1 else map


def _start(work: Callable[[Any], Any]) -> None:
    global _work
    _work = work
    threadpool_limits(1)  # the processes have the cores between them
    if "torch" in sys.modules:
        sys.modules["torch"].set_num_threads(1)


def _run(piece: Any) -> Any:
    assert _work is not None
    return _work(piece)
