"""The processes of one run: the caller's own is rank 0, the others are started for the run and end with it.

Fabric's own launchers are not used. One starts the whole script again, which then reads, writes and reports once per
process; the others fork, which neither CUDA nor OpenMP survives, or need a guarded main module, which a notebook has
not. Here a further process runs `molmed.train.worker` and is sent what it trains, so a call from a notebook, a script
without a guard and the command line are all the same.
"""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Timer
from typing import Any

import torch
from torch import Tensor

from molmed.errors import ConfigError, MolmedError
from molmed.train.config import TrainConfig
from molmed.train.precision import device_used

_ARRIVAL, _FAREWELL = 300.0, 20.0
"""Seconds that the others have to import what they need, and to end after the run. Chosen, not studied."""


@dataclass(frozen=True)
class Place:
    """Which of how many processes this one is."""

    rank: int = 0
    n: int = 1

    def sum(self, values: Tensor) -> Tensor:
        """The sum over all processes, in place; every process must ask for it."""
        if self.n > 1:
            torch.distributed.all_reduce(values)
        return values


class Team:
    """Rank 0's hold on the other processes; with one process there is nobody to tell anything."""

    def __init__(self, config: TrainConfig) -> None:
        self.place, self.timeout = Place(0, config.devices), config.timeout
        self.others: list[subprocess.Popen[str]] = []
        self.logs: list[Path] = []

    def begin(self, epoch: int, state: dict[str, Tensor]) -> None:
        """Have the others train an epoch, with the learner's state of now.

        They wait for this word without a limit: between epochs the caller may take its time.
        """
        if not self.others:
            return
        for other in self.others:
            _tell(other, f"{epoch}\n")
        broadcast(state)

    def explained(self, error: RuntimeError) -> MolmedError | None:
        """What became of the others, if that is what an error of this process is about."""
        text = str(error).lower()
        if "timed out" in text or "timeout" in text:
            return self._first_gone() or MolmedError(
                f"Training in {self.place.n} processes: one of them lives and has not answered for {self.timeout:g} s; "
                f"raise train.timeout if a batch may take that long, or set train.devices to 1."
            )
        if isinstance(error, torch.distributed.DistError) or any(w in text for w in ("gloo", "nccl", "connection")):
            until = time.monotonic() + _FAREWELL
            while self._first_gone() is None and time.monotonic() < until:
                time.sleep(0.05)  # a connection is closed a moment before its process is gone
            return self._first_gone()
        return None

    def start(self, folder: Path, device: str) -> None:
        """Start the others and wait until each is ready to join."""
        environment = os.environ | {"PYTHONPATH": os.pathsep.join(p for p in sys.path if p)}
        flags = [f"-W{option}" for option in sys.warnoptions]
        for rank in range(1, self.place.n):
            words = [str(folder / "meeting"), str(rank), str(self.place.n), device, str(self.timeout)]
            self.logs.append(folder / f"rank-{rank}.log")
            with self.logs[-1].open("w", encoding="utf-8") as log:
                other = subprocess.Popen(
                    [sys.executable, "-P", *flags, "-m", "molmed.train.worker", *words],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=log,
                    text=True,
                    env=environment,
                    start_new_session=True,  # Ctrl-C reaches this process only, which then ends the others
                )
            self.others.append(other)
        import_module("lightning_fabric")  # heavy, as for the others: all do it at once, before anybody waits
        self.hear("ready")

    def hear(self, word: str) -> None:
        """Wait until each of the others has said a word.

        Raises:
            MolmedError: one said something else, or ended, or was not heard in time.
        """
        timers = [Timer(_ARRIVAL, other.kill) for other in self.others]
        for timer in timers:
            timer.start()
        try:
            for rank, other in enumerate(self.others, start=1):
                assert other.stdout is not None
                said = other.stdout.readline().strip()
                if said == word:
                    continue
                if said:
                    raise ConfigError(
                        f"training with devices = {self.place.n}", said, "classes and functions of importable modules"
                    )
                other.wait()
                raise self._gone(rank)
        finally:
            for timer in timers:
                timer.cancel()

    def end(self) -> None:
        """End the others: they leave when nobody holds the other end of their input, or are killed."""
        for other in self.others:
            if other.stdin is not None:
                with suppress(BrokenPipeError):
                    other.stdin.close()
        until = time.monotonic() + _FAREWELL
        for other in self.others:
            try:
                other.wait(max(0.0, until - time.monotonic()))
            except subprocess.TimeoutExpired:
                other.kill()
                other.wait()
            if other.stdout is not None:
                other.stdout.close()

    def kill(self) -> None:
        """End the others at once: the run has failed."""
        for other in self.others:
            other.kill()

    def _first_gone(self) -> MolmedError | None:
        gone = [rank for rank, other in enumerate(self.others, start=1) if other.poll() is not None]
        return self._gone(gone[0]) if gone else None

    def _gone(self, rank: int) -> MolmedError:
        code = self.others[rank - 1].returncode
        how = f"was ended by {signal.Signals(-code).name}" if code < 0 else f"ended with exit code {code}"
        lines = self.logs[rank - 1].read_text(encoding="utf-8", errors="replace").split("\n")
        last = next((line.strip() for line in reversed(lines) if line.strip()), "").removeprefix(f"[rank{rank}]: ")
        return MolmedError(
            f"Training in {self.place.n} processes: number {rank} {how}{f' ({last})' if last else ''}; "
            f"mend that, or set train.devices to 1, and run again (with resume from the last whole epoch)."
        )


@contextmanager
def team(config: TrainConfig, sent: tuple[Any, ...]) -> Iterator[Team]:
    """This process as rank 0, with `config.devices - 1` others that have received `sent`; they end with the block.

    Raises:
        ConfigError: this process is part of a group already, or `sent` cannot be sent.
        MolmedError: another process ended or does not answer, at any time inside the block.
    """
    made = Team(config)
    if config.devices == 1:
        yield made
        return
    asked = f"training with devices = {config.devices}"
    if not torch.distributed.is_available() or not torch.distributed.is_gloo_available():
        raise ConfigError(asked, "a torch without distributed training", "a torch built with Gloo")
    if torch.distributed.is_initialized():
        raise ConfigError(asked, "a process that is part of a group already", "a process of its own")
    device = device_used(config)
    # what the others hold open in the folder is gone when they are, so it can be removed
    with TemporaryDirectory(prefix="molmed-", ignore_cleanup_errors=True) as folder:
        try:
            made.start(Path(folder), device)
            with joined(made.place, Path(folder) / "meeting", device, config.timeout):
                try:
                    broadcast(sent)
                except Exception as error:  # an object may refuse with any
                    came = f"something that cannot be sent to another process ({error})"
                    raise ConfigError(asked, came, "classes and functions of importable modules") from error
                made.hear("received")
                yield made
        except RuntimeError as error:
            explained = made.explained(error)
            made.kill()
            if explained is None:
                raise
            raise explained from error
        except BaseException:  # also when the caller stops the run or presses Ctrl-C
            made.kill()
            raise
        finally:
            made.end()


@contextmanager
def joined(place: Place, meeting: Path, device: str, timeout: float) -> Iterator[None]:
    """Inside, this process is one of the group that meets at a file."""
    limit = timedelta(seconds=timeout)
    store = torch.distributed.FileStore(str(meeting), place.n)  # type: ignore[attr-defined] # exported, not listed
    store.set_timeout(limit)
    backend = "cpu:gloo,cuda:nccl" if device == "cuda" else "gloo"
    if device == "cuda":
        torch.cuda.set_device(place.rank)
    with _environment(_loopback() | {"TORCH_NCCL_BLOCKING_WAIT": "1"}):
        torch.distributed.init_process_group(backend, store=store, rank=place.rank, world_size=place.n, timeout=limit)
    try:
        yield
    finally:
        torch.distributed.destroy_process_group()


def broadcast(value: Any = None) -> Any:
    """Rank 0's value, in every process."""
    box = [value]
    torch.distributed.broadcast_object_list(box, src=0, device=torch.device("cpu"))
    return box[0]


def _tell(other: "subprocess.Popen[str]", word: str) -> None:
    """A process that is gone does not listen; that it is gone shows as soon as it is needed."""
    assert other.stdin is not None
    with suppress(BrokenPipeError):
        other.stdin.write(word)
        other.stdin.flush()


def _loopback() -> dict[str, str]:
    """Gloo would ask which interface the host's name stands for, which not every host can tell."""
    names = [name for _, name in socket.if_nameindex()]
    return {"GLOO_SOCKET_IFNAME": next(name for name in names if name.startswith("lo"))} if names else {}


@contextmanager
def _environment(values: dict[str, str]) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
