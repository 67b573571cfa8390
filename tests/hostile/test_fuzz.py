"""Random bytes, altered files and random tables: whatever comes, an answer or an error of chainrule's."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import chainrule
from chainrule.errors import ChainruleError, FileError
from chainrule.tables.reading import read_table

sys.path.append(str(Path(__file__).parents[2] / "benchmarks"))

import fuzz
from mutations import COLUMNS, altered, altered_model, model_files, random_frame, table_files

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")  # of what was found out about the table
FEW = settings(
    max_examples=60, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture]
)
MANY = settings(FEW, max_examples=5000)
SEEDS = st.integers(0, 2**32 - 1)
TEXTS = st.text(st.sampled_from("aé1.,;\t|\"' \r\n-\ufeff\0"), max_size=80)


@pytest.fixture(scope="module")
def files() -> list[bytes]:
    return table_files()


@pytest.fixture(scope="module")
def models() -> list[bytes]:
    return model_files()


@contextmanager
def one_clear_line() -> Iterator[None]:
    """What is raised inside is chainrule's, and a sentence on one line."""
    said = "."
    try:
        yield
    except ChainruleError as error:
        said = str(error)
    assert "\n" not in said
    assert said.endswith(".")


def attempt(content: bytes, folder: Path) -> None:
    (folder / "t.csv").write_bytes(content)
    with one_clear_line():
        frame = read_table(folder / "t.csv")
        assert frame.height
        assert frame.width


def read_altered(files: list[bytes], seed: int, folder: Path) -> None:
    attempt(altered(files[seed % len(files)], files, np.random.default_rng(seed)), folder)


def load_altered(models: list[bytes], seed: int, folder: Path) -> None:
    numbers = np.random.default_rng(seed)
    path = folder / "m.model"
    path.write_bytes(altered_model(models[seed % len(models)], models, numbers))
    with one_clear_line():
        fuzz.load_file(path)


def test_the_files_are_good_as_they_are(files: list[bytes], models: list[bytes], tmp_path: Path) -> None:
    for content in files:
        (tmp_path / "t").write_bytes(content)
        assert read_table(tmp_path / "t").height >= 2
    for content in models:
        (tmp_path / "m").write_bytes(content)
        fuzz.load_file(tmp_path / "m")


@FEW
@given(st.binary(max_size=200) | TEXTS.map(str.encode))
def test_any_bytes_are_a_table_or_refused(tmp_path: Path, content: bytes) -> None:
    attempt(content, tmp_path)


@FEW
@given(SEEDS)
def test_altered_tables_are_read_or_refused(tmp_path: Path, files: list[bytes], seed: int) -> None:
    read_altered(files, seed, tmp_path)


@FEW
@given(SEEDS)
def test_altered_models_are_loaded_or_refused(tmp_path: Path, models: list[bytes], seed: int) -> None:
    load_altered(models, seed, tmp_path)


@pytest.mark.long
@MANY
@given(SEEDS)
def test_many_altered_tables(tmp_path: Path, files: list[bytes], seed: int) -> None:
    read_altered(files, seed, tmp_path)


@pytest.mark.long
@MANY
@given(SEEDS)
def test_many_altered_models(tmp_path: Path, models: list[bytes], seed: int) -> None:
    load_altered(models, seed, tmp_path)


def test_a_panic_of_polars_is_a_file_error(
    files: list[bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def panic(*_: object, **__: object) -> None:
        raise pl.exceptions.PanicException("index out of bounds: the len is 3")

    content = next(content for content in files if content.startswith(b"PAR1"))
    (tmp_path / "t").write_bytes(content)
    monkeypatch.setattr(pl, "read_parquet", panic)
    with pytest.raises(FileError, match=r"must be a whole Parquet file; .*its parts do not fit together"):
        read_table(tmp_path / "t")


KINDS = st.lists(st.integers(0, len(COLUMNS) - 1), min_size=1, max_size=3)


def fit_and_predict(columns: list[int], seed: int) -> None:
    """A linear model learns from a table of such columns and predicts it, and another."""
    numbers = np.random.default_rng(seed)
    makers = [COLUMNS[column] for column in columns]
    X, other = (random_frame(makers, 24, numbers) for _ in range(2))
    y = numbers.normal(size=24)
    with one_clear_line():
        model = chainrule.DeepRegressor((), max_iter=1, random_state=0, numeric_embedding=None).fit(X, y)
        for table in (X, other):
            assert np.isfinite(model.predict(table)).all()


@settings(FEW, max_examples=10)
@given(KINDS, SEEDS)
@pytest.mark.usefixtures("quick_compiler")
def test_any_columns_are_learnt_from_or_refused(columns: list[int], seed: int) -> None:
    fit_and_predict(columns, seed)


@pytest.mark.long
@settings(FEW, max_examples=300)
@given(KINDS, SEEDS)
@pytest.mark.usefixtures("quick_compiler")
def test_many_columns_are_learnt_from_or_refused(columns: list[int], seed: int) -> None:
    fit_and_predict(columns, seed)


def test_the_fuzzer_tells_what_it_finds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def run(path: Path) -> None:
        raise {b"known": FileError("t must be.")}.get(path.read_bytes(), KeyError("odd"))

    monkeypatch.setitem(fuzz.RUNS, "readers", run)
    (tmp_path / "t").write_bytes(b"known")
    assert fuzz.tried("readers", tmp_path / "t") is None
    (tmp_path / "t").write_bytes(b"other")
    assert "KeyError" in fuzz.tried("readers", tmp_path / "t")
