"""The verbs, as a user types them: what they write, what they say, and the exit code."""

import io
import re
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from molmed import catalog
from molmed.cli import main, verbs
from molmed.data.packing import PACKINGS
from molmed.experiment.config import read_toml
from molmed.experiment.load import load
from molmed.experiment.run import Run

from .conftest import sulfonamides

FAST = ["--model", "random_forest", "--tree.n-trees", "15", "--tree.jobs", "1"]


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("table") / "nav17.csv"
    sulfonamides(120).to_csv(path, index=False)
    return path


@pytest.fixture(scope="module")
def trained(table: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model trained by the verb."""
    out = tmp_path_factory.mktemp("models") / "nav17.molmed"
    assert (
        main(["train", str(table), "--smiles", "smiles", "--target", "pAct", "--cv", "3", *FAST, "--out", str(out)])
        == 0
    )
    return out


def test_help_lists_every_verb_with_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == 0
    out = capsys.readouterr().out
    for verb, line in verbs().items():
        assert f"{verb} " in out
        assert line in out
        assert line.endswith(".")
    assert {"train", "predict", "evaluate", "screen", "demo", "catalog"} <= set(verbs())


@pytest.mark.parametrize("verb", sorted(verbs()))
def test_every_verb_has_help(verb: str, capsys: pytest.CaptureFixture[str]) -> None:
    try:
        code = main([verb, "--help"])
    except SystemExit as end:
        code = int(end.code or 0)
    assert code == 0
    out = capsys.readouterr().out
    assert "usage: molmed" in out
    assert f"Example:\n  molmed {verb}" in out


def formats(shelf: str) -> set[str]:
    return {extension for name in catalog.names(shelf) for extension in catalog.load(shelf, name).extensions}


@pytest.mark.parametrize("verb", ["audit", "compare", "evaluate", "predict", "screen", "train"])
def test_help_names_every_format_that_is_read_and_written(verb: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main([verb, "--help"])
    out = " ".join(capsys.readouterr().out.split())
    read = out[out.index("Reads .csv") : out.index("is read as one table")]
    assert formats("sources") | set(PACKINGS) <= set(re.findall(r"\.\w+", read))
    if verb in ("evaluate", "predict"):
        written = out[out.index("Writes in the format") : out.index("Example:")]
        assert formats("sinks") | set(PACKINGS) <= set(re.findall(r"\.\w+", written))


def test_a_wrong_verb_is_answered_with_the_nearest(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["trian"]) == 1
    assert "did you mean 'train'" in capsys.readouterr().err


def test_the_installed_command_answers(tmp_path: Path) -> None:
    command = [Path(sys.executable).parent / "molmed", "--version"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, check=True, timeout=60)
    assert done.stdout.startswith("molmed 0.")


def test_training_writes_a_model_and_says_what_it_guessed(
    trained: Path, table: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["train", str(table), "--target", "pAct", *FAST, "--out", str(tmp_path / "m.molmed")]) == 0
    said = capsys.readouterr()
    assert "column 'smiles' taken as SMILES" in said.err
    assert "task 'activity'" in said.err
    assert "rmse" in said.out
    assert load(trained).config.model.encoder["n_trees"] == 15
    assert not list(tmp_path.glob("*.partial"))


def test_predict_writes_one_row_per_row(trained: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "new.csv").write_text("name,smiles\na,CCO\nb,xx\nc,\n", encoding="utf-8")
    for name in ("p.csv", "p.csv.gz", "p.tsv", "p.parquet"):
        assert main(["predict", str(trained), str(tmp_path / "new.csv"), "--out", str(tmp_path / name)]) == 0
        read = pd.read_parquet if name.endswith("parquet") else pd.read_csv
        frame = read(tmp_path / name, **({"sep": "\t"} if name.endswith("tsv") else {}))
        assert frame["id"].tolist() == ["a", "b", "c"]
        assert frame["status"].tolist() == ["ok", "rejected", "rejected"]
        assert frame["pAct"].notna().tolist() == [True, False, False]
    assert "3 rows (2 rejected, 1 ok)" in capsys.readouterr().err


def test_screen_writes_its_folder(trained: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "a.smi").write_text("CCO one\nc1ccccc1 two\n", encoding="utf-8")
    (tmp_path / "b.smi").write_text("bad( three\n", encoding="utf-8")
    words = [str(tmp_path / "a.smi"), str(tmp_path / "b.smi"), "--model", str(trained), "--top", "1"]
    assert main(["screen", *words, "--out", str(tmp_path / "out")]) == 0
    assert len(pd.read_parquet(tmp_path / "out" / "predictions.parquet")) == 3
    assert "syntax" in capsys.readouterr().out


def test_evaluate_scores_a_file(trained: Path, table: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = [str(trained), str(table), "--out", str(tmp_path / "s.csv"), "--predictions", str(tmp_path / "p.csv")]
    assert main(["evaluate", *words]) == 0
    said = capsys.readouterr()
    assert "120 of 120 rows scored" in said.err
    assert "96 scored rows are compounds the model was trained on" in said.err
    scores = pd.read_csv(tmp_path / "s.csv").set_index("metric")
    frame = pd.read_csv(tmp_path / "p.csv")
    assert scores.loc["rmse", "value"] == pytest.approx(
        ((frame.pAct - frame.pAct_measured) ** 2).mean() ** 0.5, rel=1e-5
    )
    assert scores.loc["rmse", "low"] < scores.loc["rmse", "value"] < scores.loc["rmse", "high"]


def test_catalog_lists_one_shelf_or_all(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["catalog", "encoders"]) == 0
    one = capsys.readouterr().out
    assert "dmpnn" in one
    assert "scaffold" not in one
    assert main(["catalog", "encodres"]) == 1
    assert "did you mean 'encoders'" in capsys.readouterr().err


def test_a_toml_is_read_and_flags_override_it(table: Path, tmp_path: Path) -> None:
    (tmp_path / "run.toml").write_text(
        f"""
        seed = 3
        [data]
        path = "{table}"
        targets = ["pAct"]
        [split]
        folds = 2
        [model]
        name = "random_forest"
        [model.encoder]
        n_trees = 12
        jobs = 1
        """,
        encoding="utf-8",
    )
    out = tmp_path / "m.molmed"
    assert main(["train", "--config", str(tmp_path / "run.toml"), "--tree.n-trees", "14", "--out", str(out)]) == 0
    run: Run = load(out)
    assert (run.config.seed, run.config.split.folds) == (3, 2)
    assert run.config.model.encoder == {"n_trees": 14, "max_features": 0.33, "min_leaf": 1, "jobs": 1}
    assert read_toml(out / "config.toml") == run.config


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("[train]\nepoch = 3\n", "unknown key 'epoch'.*did you mean 'epochs'"),
        ("[tarin]\nepochs = 3\n", "unknown key 'tarin'.*did you mean 'train'"),
        ("[train]\nepochs = 'many'\n", r"epochs.*'many' \(str\).*int"),
        ("[train]\nepochs = 0\n", "epochs.*0.*from 1 to"),
        ("[train\n", "text that is not TOML.*line 1"),
    ],
)
def test_a_wrong_configuration_is_one_sentence(
    text: str, sentence: str, table: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "run.toml").write_text(text, encoding="utf-8")
    words = [str(table), "--target", "pAct", "--config", str(tmp_path / "run.toml"), "--out", str(tmp_path / "m")]
    assert main(["train", *words]) == 1
    said = capsys.readouterr().err
    assert re.search(sentence, said)
    assert said.count("\n") == 1


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["train", "nowhere.csv", "--target", "y", "--out", "m"], "nowhere.csv.*no such file"),
        (["train", "TABLE", "--target", "pAtc", "--out", "m"], "did you mean 'pAct'"),
        (["train", "TABLE", "--target", "pAct", "--out", "TABLE"], "a path that is not a model"),
        (["train", "TABLE", "--target", "pAct", "--out", "TABLE/m"], "cannot be written"),
        (["report", "TABLE"], "no zip file"),
        (["report", "MODEL", "--out", "TABLE/m.html"], "cannot be written"),
        (["report", "MODEL", "--out", "."], "cannot be written"),
        (["pack", "MODEL", "--out", "."], "a folder"),
        (["compare", "MODEL", "TABLE"], "at least two"),
        (["compare", "MODEL", "MODEL"], "name the file last"),
        (["audit", "TABLE", "TABLE", "TABLE"], "one file, or two"),
        (["audit", "TABLE", "--split", "scafold"], "did you mean 'scaffold'\\?$"),
        (["train", "TABLE", "--out", "m"], "no target column named"),
        (["train", "TABLE", "--target", "pAct", "--model", "dmpn", "--out", "m"], "did you mean 'dmpnn'"),
        (["train", "TABLE", "--target", "pAct", "--split.test", "2", "--out", "m"], "test.*from 0 to 0.9"),
        (["predict", "MODEL", "nowhere.csv", "--out", "p.csv"], "nowhere.csv.*no such file"),
        (["predict", "MODEL", "TABLE", "--out", "p.docx"], r"extension '\.docx'.*\.csv"),
        (["predict", "nowhere", "TABLE", "--out", "p.csv"], "loading the model nowhere"),
        (["evaluate", "MODEL", "TABLE", "--target", "id", "smiles"], "2 target columns"),
    ],
)
def test_wrong_input_is_one_sentence_and_exit_code_1(
    words: list[str], sentence: str, trained: Path, table: Path, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    stands_for = {
        "TABLE": str(table),
        "MODEL": str(trained),
        "TABLE/m": f"{table}/m",
        "TABLE/m.html": f"{table}/m.html",
    }
    assert main([stands_for.get(w, w) for w in words]) == 1
    said = capsys.readouterr().err.splitlines()
    assert re.search(sentence, said[-1]), said
    assert said[-1].startswith("molmed: ")
    assert not [p.name for p in tmp_path.iterdir()]


def test_flags_that_do_not_exist_are_exit_code_1(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        main(["predict", "m", "f", "--out", "x.csv", "--frobnicate"])
    assert end.value.code == 1
    assert "frobnicate" in capsys.readouterr().err


def test_a_bug_is_exit_code_2_with_its_traceback(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    import molmed.cli.catalog as verb

    monkeypatch.setattr(verb, "main", lambda words: 1 // 0)
    assert main(["catalog"]) == 2
    said = capsys.readouterr().err
    assert "ZeroDivisionError" in said
    assert "this is a bug in molmed" in said


def test_the_bar_says_what_is_left_where_it_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    from rich.console import Console

    from molmed.cli import _said

    text = io.StringIO()
    monkeypatch.setattr(_said, "_err", Console(file=text, force_terminal=True, width=120))
    with _said.RowBar("screening [a].smi") as bar:
        bar.advance(0)
        bar.advance(1_500)
        bar.progress.refresh()
        assert "screening [a].smi" in text.getvalue()
        assert "left" not in text.getvalue()
        bar.advance(500, 0.25)
        bar.progress.refresh()
    assert "2,000 rows" in text.getvalue()
    assert re.search(r"\d:\d\d:\d\d left", text.getvalue())
