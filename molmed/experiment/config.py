"""Everything a run can be told, as frozen dataclasses, and the strict reading of TOML into them."""

import tomllib
import types
from collections.abc import Mapping
from dataclasses import MISSING, asdict, dataclass, field, fields, is_dataclass
from pathlib import Path
from typing import Annotated, Any, TypeVar, Union, get_args, get_origin, get_type_hints

import tomli_w

from molmed.errors import ConfigError, InputError, nearest
from molmed.nn.join import JoinConfig
from molmed.train.config import TrainConfig
from molmed.tunable import Float, Int, check

T = TypeVar("T")


@dataclass(frozen=True)
class DataConfig:
    """Where the rows come from and what their columns mean; an empty name is guessed and said.

    Args:
        path: file of a run started from a TOML; the Python call and the command line name it themselves.
        smiles: column of the structure.
        id: column of the compound or patient id.
        targets: columns to predict.
        columns: columns of the patient (or other) slot; empty = all that have no other meaning.
        fold: column of fold names for the predefined split.
        standardise: strip salts, neutralise, ... (`molmed.chem.standardise`).
        store: folder in which molecules and their features are kept from one fit to the next; empty = none. What it
            takes on the disk: `molmed.features.store.Store`.
        jobs: processes that fill the store; 0 = one for each core.
    """

    path: str = ""
    smiles: str = ""
    id: str = ""
    targets: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()
    fold: str = ""
    standardise: bool = True
    store: str = ""
    jobs: Annotated[int, Int(0, 1024)] = 1


@dataclass(frozen=True)
class SplitConfig:
    """How rows are held out.

    Args:
        name: entry of the splits shelf; empty = the task's default.
        test: fraction of the rows held out and looked at once; 0 = none.
        folds: k of the k-fold out-of-fold predictions inside the training part; 0 = none.
        valid: fraction of the training rows used to choose the epoch, by a random split.
    """

    name: str = ""
    test: Annotated[float, Float(0.0, 0.9)] = 0.2
    folds: Annotated[int, Int(0, 50)] = 0
    valid: Annotated[float, Float(0.0, 0.5)] = 0.1
    seed: int = 0


@dataclass(frozen=True)
class ModelConfig:
    """Which model reads the first slot, by catalogue name, and the settings of its parts.

    Args:
        name: an encoder or a tree; empty = the task's default.
        features: featurizer of the encoder; empty = the encoder's first.
        encoder: fields of the encoder's (or tree's) `Config`.
        featurizer: fields of the featurizer's `Config`.
        slots: the same three settings for further slots: {slot: {name, features, encoder, featurizer}}.
        batch_size: rows a step.
        batch_window: batches whose rows are sorted by size before they are cut, so that rows of a batch are of like
            size; 1 = none. Of use where batches are padded (token sequences) or memory is short.
        batch_elements: most atoms (or tokens, or codes) a step, in place of batch_size; 0 = no such limit. A row
            that is larger by itself is a batch of its own.
    """

    name: str = ""
    features: str = ""
    encoder: dict[str, Any] = field(default_factory=dict)
    featurizer: dict[str, Any] = field(default_factory=dict)
    slots: dict[str, Any] = field(default_factory=dict)
    join: JoinConfig = field(default_factory=JoinConfig)
    batch_size: Annotated[int, Int(1, 65536, log=True)] = 64
    batch_window: Annotated[int, Int(1, 65536, log=True)] = 1
    batch_elements: Annotated[int, Int(0, 100_000_000)] = 0


@dataclass(frozen=True)
class Config:
    """A whole run. An empty `task` is guessed from the labels. `seed` starts all that is drawn but the split.

    With `ensemble` the models of the folds (`split.folds`) are kept as members, in place of one more model.
    """

    task: str = ""
    unit: str = ""
    seed: int = 0
    ensemble: bool = False
    data: DataConfig = field(default_factory=DataConfig)
    split: SplitConfig = field(default_factory=SplitConfig)
    model: ModelConfig = field(default_factory=ModelConfig)
    train: TrainConfig = field(default_factory=TrainConfig)


def structure(cls: type[T], values: Mapping[str, Any], where: str = "") -> T:
    """A configuration dataclass from plain values, nested ones included.

    Raises:
        ConfigError: an unknown key (with the nearest known one), a value of another type than the field's,
            or one outside its annotated range.
    """
    hints = get_type_hints(cls)
    assert is_dataclass(cls)
    known = [f.name for f in fields(cls)]
    for key in values:
        if key not in known:
            near = nearest(key, known)
            raise ConfigError(
                f"reading the configuration{f' [{where}]' if where else ''}",
                f"the unknown key {key!r}",
                ", ".join(known),
                f"did you mean {near[0]!r}?".rstrip(".") if near else "remove it",
            )
    made = {key: _value(hints[key], value, f"{where}.{key}".lstrip(".")) for key, value in values.items()}
    missing = [
        f.name for f in fields(cls) if f.name not in made and f.default is MISSING and f.default_factory is MISSING
    ]
    if missing:
        raise ConfigError(f"reading the configuration [{where}]", "no " + ", ".join(missing), "a value for each")
    config = cls(**made)
    check(config)
    return config


def _value(hint: Any, value: Any, where: str) -> Any:
    origin = get_origin(hint)
    if is_dataclass(hint) and isinstance(hint, type):
        if isinstance(value, hint):
            return value
        if isinstance(value, Mapping):
            return structure(hint, value, where)
    elif origin is tuple:
        if isinstance(value, list | tuple):
            return tuple(_value(get_args(hint)[0], v, where) for v in value)
    elif origin is dict or hint is dict:
        if isinstance(value, Mapping):
            return dict(value)
    elif origin in (Union, types.UnionType):
        for option in get_args(hint):
            if isinstance(value, option):
                return value
    elif hint is float:
        if isinstance(value, int | float) and not isinstance(value, bool):
            return float(value)
    elif hint is int:
        if isinstance(value, int) and not isinstance(value, bool):
            return value
    elif hint is Any or get_origin(hint) is not None or isinstance(value, hint):
        return value
    wanted = getattr(hint, "__name__", str(hint))
    raise ConfigError(f"setting {where}", f"{value!r} ({type(value).__name__})", f"a value of type {wanted}")


def read_toml(path: Path) -> Config:
    """The configuration in a TOML file.

    Raises:
        InputError: no such file, or not TOML (with the parser's line).
        ConfigError: see `structure`.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise InputError("reading the configuration", f"no file {path}", "a TOML file", "check the path") from None
    except UnicodeDecodeError as error:
        raise InputError(f"reading the configuration {path}", f"text that is not UTF-8 ({error})", "TOML") from None
    return parse_toml(text, str(path))


def parse_toml(text: str, where: str) -> Config:
    """The configuration in a TOML text; `where` is for the message.

    Raises:
        InputError: not TOML (with the parser's line).
        ConfigError: see `structure`.
    """
    try:
        values = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise InputError(f"reading the configuration {where}", f"text that is not TOML ({error})", "TOML") from None
    return structure(Config, values)


def to_toml(config: Any) -> str:
    """A configuration dataclass as TOML that `read_toml` reads back to an equal one."""
    return tomli_w.dumps(_plain(asdict(config)))


def _plain(value: Any) -> Any:
    """TOML has no null: unset options are left out."""
    if isinstance(value, Mapping):
        return {k: _plain(v) for k, v in value.items() if v is not None}
    if isinstance(value, list | tuple):
        return [_plain(v) for v in value]
    return value
