"""fsspec addresses are read and written like files, and nothing leaves this machine unasked."""

import gzip
import tarfile
import threading
import zipfile
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import fsspec
import pandas as pd
import pytest

from molmed.data.address import ALLOW_NETWORK, name_of, place, shown
from molmed.data.table import chunks, column_names, read
from molmed.data.write import open_sink, write
from molmed.errors import InputError, UnknownNameError

FRAME = pd.DataFrame({"smiles": ["CCO", "c1ccccc1"], "y": [1.5, 2.5]})


@pytest.fixture
def memory() -> Iterator[fsspec.AbstractFileSystem]:
    fs = fsspec.filesystem("memory")
    fs.store.clear()
    yield fs
    fs.store.clear()
    fs.pseudo_dirs[:] = [""]


def test_what_is_on_this_machine_is_a_path(tmp_path: Path) -> None:
    for address in (
        tmp_path / "a.csv",
        str(tmp_path / "a.csv"),
        f"file://{tmp_path}/a.csv",
        f"local://{tmp_path}/a.csv",
    ):
        assert place(address) == tmp_path / "a.csv"
    assert place(Path(f"file://{tmp_path}/a.csv")) == tmp_path / "a.csv"  # pathlib has made file:/ of it
    assert place("a/b.csv") == Path("a/b.csv")


@pytest.mark.parametrize(
    ("address", "name"),
    [
        ("memory://a/b.csv.gz", "b.csv.gz"),
        ("zip://in/a.csv::file:///x/b.zip", "a.csv"),
        ("https://host/a/b.smi?version=1&x=a/b#top", "b.smi"),
        (Path("/a/b.csv"), "b.csv"),
    ],
)
def test_the_name_holds_the_extensions(address: str | Path, name: str) -> None:
    assert name_of(address) == name


def test_a_path_made_of_an_address_is_the_address(memory) -> None:
    memory.pipe_file("/a/b.csv", b"smiles\nCCO\n")
    assert place(Path("memory://a/b.csv")) == "memory://a/b.csv"
    assert read(Path("memory://a/b.csv")).smiles.tolist() == ["CCO"]


@pytest.mark.parametrize("ending", [".csv", ".csv.zst", ".smi", ".parquet", ".xlsx", ".sdf", ".jsonl.gz"])
def test_what_is_written_to_an_address_is_there_and_can_be_read(ending: str, memory) -> None:
    write(f"memory://deep/in/a{ending}", FRAME)
    assert memory.find("/") == [f"/deep/in/a{ending}"]
    if "jsonl" not in ending:
        assert read(f"memory://deep/in/a{ending}")["smiles"].tolist() == FRAME["smiles"].tolist()


def test_a_failed_write_leaves_nothing_at_the_address(memory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)

    def fail() -> None:
        with open_sink("memory://a.csv", {"y": "float64"}) as sink:
            sink.write(FRAME[["y"]])
            assert list(tmp_path.iterdir())
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert memory.find("/") == []
    assert not list(tmp_path.iterdir())


def test_folders_and_patterns_are_tables_at_an_address_too(memory) -> None:
    files = {"b.smi": b"CC b\n", "a.smi": b"C a\n", ".hidden.smi": b"x", "c.smi.gz": gzip.compress(b"CCC c\n")}
    for name, content in files.items():
        memory.pipe_file(f"/lib/{name}", content)
    for address in ("memory://lib", "memory://lib/*", "memory://lib/?.smi*"):
        parts = list(chunks(address))
        assert [cell for part in parts for cell in part.columns["smiles"]] == ["C", "CC", "CCC"]
        assert [part.source for part in parts] == [f"memory://lib/{name}" for name in ("a.smi", "b.smi", "c.smi.gz")]
        assert parts[-1].done == 1
    memory.pipe_file("/lib/deeper/d.smi", b"CCCC d\n")
    with pytest.raises(InputError, match=r"folders in the folder \(deeper\)"):
        column_names("memory://lib")
    with pytest.raises(InputError, match="no file that matches"):
        column_names("memory://lib/*.csv")


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as made:
        made.writestr("in/a.csv", "smiles\nC\n")
        made.writestr("in/b.csv", "smiles\nCC\n")
    with tarfile.open(tmp_path / "x.tar", "w") as tar:
        (tmp_path / "c.smi").write_text("CCC\n", encoding="utf-8")
        tar.add(tmp_path / "c.smi", "c.smi")
    return tmp_path / "x.zip"


def test_archives_are_read_in_place(archive: Path) -> None:
    assert read(f"zip://in/a.csv::{archive}").smiles.tolist() == ["C"]
    assert read(f"zip://in/b.csv::file://{archive}").smiles.tolist() == ["CC"]
    assert read(f"zip://in/*.csv::{archive}").smiles.tolist() == ["C", "CC"]
    assert read(f"zip://in::{archive}").smiles.tolist() == ["C", "CC"]
    assert read(f"tar://c.smi::{archive.with_suffix('.tar')}").smiles.tolist() == ["CCC"]


def test_nothing_is_written_into_an_archive(archive: Path) -> None:
    before = archive.read_bytes()
    with pytest.raises(InputError, match=r"a place inside an archive.*pack it afterwards"):
        write(f"zip://in/c.csv::{archive}", FRAME)
    assert archive.read_bytes() == before


@pytest.mark.parametrize("address", ["memory://absent.csv", "zip://absent.csv::{archive}", "zip://a.csv::/absent.zip"])
def test_what_is_not_there_is_said(address: str, archive: Path, memory) -> None:
    with pytest.raises(InputError, match=r"absent.*no such file"):
        column_names(address.format(archive=archive))


def test_what_is_no_archive_is_said(tmp_path: Path) -> None:
    (tmp_path / "x.zip").write_text("text", encoding="utf-8")
    with pytest.raises(InputError, match=r"cannot be opened.*not a zip file"):
        column_names(f"zip://a.csv::{tmp_path}/x.zip")


NETWORK = ["s3://bucket/a.csv", "gs://b/a.csv", "https://host/a.csv", "ftp://host/a.csv", "hf://datasets/a/b.csv"]


@pytest.mark.parametrize("address", [*NETWORK, "zip://a.csv::https://host/x.zip", "simplecache::s3://bucket/a.csv"])
def test_the_network_is_refused_unless_asked_for(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(ALLOW_NETWORK, raising=False)
    for act in (column_names, lambda a: list(chunks(a)), lambda a: write(a, FRAME)):
        for given in (address, Path(address)):
            with pytest.raises(InputError, match=r"may be on the network.*set MOLMED_ALLOW_NETWORK=1"):
                act(given)
    monkeypatch.setenv(ALLOW_NETWORK, "1")
    assert place(address) == address


def test_an_unknown_protocol_is_answered_with_the_nearest() -> None:
    with pytest.raises(UnknownNameError, match=r"'memry'.*mean 'memory'"):
        column_names("memry://a.csv")


def test_a_missing_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(ALLOW_NETWORK, "1")
    with pytest.raises(InputError, match=r"missing package \(.*s3fs"):
        column_names("s3://bucket/a.csv")


def test_a_password_is_never_shown() -> None:
    assert shown("s3://key:secret@bucket/a.csv") == "s3://bucket/a.csv"
    assert shown("zip://a.csv::ftp://me:secret@host/b.zip") == "zip://a.csv::ftp://host/b.zip"
    assert shown("ftp://me:p@ss:word@host:21/a@b.csv") == "ftp://host:21/a@b.csv"
    assert shown("https://host:80/a.csv?token=secret") == "https://host:80/a.csv"
    assert shown("zip://a.csv::https://host/b.zip?key=secret") == "zip://a.csv::https://host/b.zip"
    assert shown(Path("/data/what?.csv")) == "/data/what?.csv"
    with pytest.raises(InputError) as raised:
        column_names("ftp://me:secret@host/a.csv")
    assert "secret" not in str(raised.value)


class Server(BaseHTTPRequestHandler):
    """Serves one table and knows nothing of ranges."""

    content = gzip.compress(b"smiles,y\n" + b"CCO,1\n" * 3000)
    asked: list[str] = []  # noqa: RUF012

    def do_HEAD(self) -> None:
        self.answer(b"")

    def do_GET(self) -> None:
        self.asked.append(self.path)
        self.answer(self.content)

    def answer(self, body: bytes) -> None:
        self.send_response(200 if self.path == "/a.csv.gz" else 404)
        self.send_header("Content-Length", str(len(self.content)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def host() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Server)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


def test_the_web_is_read_where_it_is_allowed(host: str, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("aiohttp", reason="fsspec reads the web with it")
    monkeypatch.setenv(ALLOW_NETWORK, "1")
    parts = list(chunks(f"{host}/a.csv.gz", 1000))
    assert [part.n for part in parts] == [1000] * 3
    assert parts[-1].done == 1
    with pytest.raises(InputError, match="no such file"):
        column_names(f"{host}/absent.csv")
