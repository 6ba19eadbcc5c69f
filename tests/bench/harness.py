"""What every bench needs: contenders in turn, medians with their spread, and where the figures come from."""

import json
import os
import platform
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from statistics import median
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
RESULTS = ROOT / "pipelines" / "results"
LIBRARIES = ("molmed", "torch", "rdkit", "numpy", "chemprop", "cuik-molmaker-pin", "torch-geometric", "scikit-learn")


@dataclass(frozen=True)
class Row:
    """One contender's figure in one bench.

    Args:
        name: of the contender.
        seconds: of each counted repetition.
        items: things done in one repetition (molecules); 0 = the time itself is the figure.
        note: what it does, in a few words.
    """

    name: str
    seconds: tuple[float, ...]
    items: int = 0
    note: str = ""

    @property
    def typical(self) -> float:
        """The median time."""
        return median(self.seconds)


def alternate(
    contenders: Mapping[str, Callable[[], float | None]], repetitions: int, warm: int = 1
) -> dict[str, tuple[float, ...]]:
    """Seconds of each contender, all of them in turn in every round, so that drift of the machine meets all alike.

    A contender that returns a number says itself what its time was.
    """
    taken: dict[str, list[float]] = {name: [] for name in contenders}
    for round_ in range(warm + repetitions):
        for name, run in contenders.items():
            began = time.perf_counter()
            said = run()
            seconds = time.perf_counter() - began if said is None else said
            if round_ >= warm:
                taken[name].append(seconds)
            print(
                f"  {'warm-up' if round_ < warm else f'round {round_ - warm + 1}'}  {name:<44} {seconds:8.3f} s",
                flush=True,
            )
    return {name: tuple(seconds) for name, seconds in taken.items()}


def process(*words: str | Path, env: Mapping[str, str] | None = None, cwd: Path | None = None) -> Callable[[], float]:
    """A contender that is a whole process; its output is kept back unless it fails."""

    def run() -> float:
        began = time.perf_counter()
        done = subprocess.run(
            [str(w) for w in words],
            capture_output=True,
            text=True,
            env={**os.environ, **(env or {})},
            cwd=cwd,
            check=False,
        )
        seconds = time.perf_counter() - began
        if done.returncode:
            raise RuntimeError(f"{words} ended with {done.returncode}:\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}")
        return seconds

    return run


def where() -> dict[str, Any]:
    """The machine and the versions."""
    versions = {}
    for name in LIBRARIES:
        try:
            versions[name] = version(name)
        except PackageNotFoundError:
            versions[name] = "not installed"
    return {
        "date": time.strftime("%Y-%m-%d"),
        "cpu": _cpu(),
        "cores": os.cpu_count(),
        "bf16": sorted(_flags() & {"avx512_bf16", "amx_bf16"}),
        "python": platform.python_version(),
        "versions": versions,
    }


def _cpuinfo(key: str) -> str:
    path = Path("/proc/cpuinfo")
    lines = path.read_text(encoding="utf-8").splitlines() if path.is_file() else []
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith(key)), "")


def _cpu() -> str:
    return _cpuinfo("model name") or platform.processor()


def _flags() -> set[str]:
    return set(_cpuinfo("flags").split())


def table(rows: Sequence[Row], against: Sequence[str]) -> str:
    """The rows as text: median, spread, rate, and how many times as fast as each of the named ones."""
    by_name = {r.name: r for r in rows}
    width = max(len(r.name) for r in rows)
    head = f"{'':<{width}}  {'median s':>9} {'min':>8} {'max':>8} {'per s':>9}" + "".join(
        f"  {f'x {n}':>24}" for n in against
    )
    lines = [head]
    for r in rows:
        rate = f"{r.items / r.typical:,.0f}" if r.items else ""
        line = f"{r.name:<{width}}  {r.typical:9.3f} {min(r.seconds):8.3f} {max(r.seconds):8.3f} {rate:>9}"
        for name in against:
            other = by_name[name]
            scale = (r.items or 1) / (other.items or 1)
            line += f"  {other.typical / r.typical * scale:24.2f}"
        lines.append(line)
    return "\n".join(lines)


def keep(name: str, rows: Sequence[Row], against: Sequence[str], more: Mapping[str, Any] | None = None) -> None:
    """Print the table and write it with where it comes from to pipelines/results/<name>.json."""
    print(f"\n{name}\n{table(rows, against)}\n", flush=True)
    by_name = {r.name: r for r in rows}
    listed = []
    for r in rows:
        ratios = {n: by_name[n].typical / r.typical * (r.items or 1) / (by_name[n].items or 1) for n in against}
        listed.append(
            asdict(r)
            | {"median": r.typical, "per_second": r.items / r.typical if r.items else None, "times_as_fast_as": ratios}
        )
    RESULTS.mkdir(parents=True, exist_ok=True)
    values = {"bench": name, **where(), **(more or {}), "rows": listed}
    (RESULTS / f"{name}.json").write_text(json.dumps(values, indent=1) + "\n", encoding="utf-8")


def mirror() -> Path | None:
    """The folder of public data sets, where there is one."""
    named = os.environ.get("MOLMED_DATA")
    folder = Path(named) if named else ROOT.parent / "shared" / "datasets"
    return folder if folder.is_dir() else None


def script(name: str) -> Path:
    """An installed command beside this Python."""
    return Path(sys.executable).parent / name


def measured_process(*words: str | Path) -> tuple[float, float]:
    """(seconds, largest memory in MB) of a process with all its children; pages that several share count once.

    Linux only: the memory is the proportional set size, looked at five times a second.
    """
    began, peak = time.perf_counter(), 0.0
    with subprocess.Popen([str(w) for w in words], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as run:
        while True:
            try:
                run.wait(0.2)
                break
            except subprocess.TimeoutExpired:
                peak = max(peak, sum(map(_memory_mb, _family(run.pid))))
        assert run.stderr is not None
        if run.returncode:
            raise RuntimeError(f"{words} ended with {run.returncode}:\n{run.stderr.read()[-2000:]}")
    return time.perf_counter() - began, peak


def _family(process: int) -> list[int]:
    """A process and all below it."""
    try:
        children = Path(f"/proc/{process}/task/{process}/children").read_text(encoding="ascii").split()
    except (FileNotFoundError, ProcessLookupError):  # it has just ended
        return []
    return [process, *(p for child in children for p in _family(int(child)))]


def _memory_mb(process: int) -> float:
    try:
        lines = Path(f"/proc/{process}/smaps_rollup").read_text(encoding="ascii").splitlines()
    except (FileNotFoundError, ProcessLookupError):
        return 0.0
    return next((int(line.split()[1]) / 1024 for line in lines if line.startswith("Pss:")), 0.0)
