"""A CSV or Parquet file as columns of text, numbers or moments; nothing about power in here."""

import csv
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

Column = Sequence[Any]  # str from a CSV; str, int, float, None or moments as unix seconds from a Parquet


class TableFileError(Exception):
    """A file that cannot be read as a table; the text is what was found, `remedy` what would do.

    `code`: file, or no_pyarrow where only the reader of Parquet files is missing.
    """

    def __init__(
        self, found: str, *, remedy: str = "a CSV or Parquet file with a time column", code: str = "file"
    ) -> None:
        self.remedy, self.code = remedy, code
        super().__init__(found)


def read_columns(path: Path, wanted: Sequence[str]) -> dict[str, Column]:
    """The wanted columns of a file, all of the same length."""
    read = _read_parquet if path.suffix == ".parquet" else _read_csv
    with _findings():
        return read(path, wanted)


def read_names(path: Path) -> list[str]:
    """The names of the columns."""
    with _findings():
        if path.suffix == ".parquet":
            with _parquet().ParquetFile(path) as file:
                return [str(name) for name in file.schema_arrow.names]
        with path.open(encoding="utf-8-sig", newline="") as lines:
            return next(csv.reader(lines), [])


@contextmanager
def _findings() -> Iterator[None]:
    """What a file that is no such table makes its reader raise, as TableFileError."""
    try:
        yield
    except OSError as error:
        raise TableFileError(error.strerror or _first_line(error)) from error
    except (ValueError, NotImplementedError, csv.Error) as error:  # ArrowInvalid, UnicodeDecodeError: ValueErrors
        raise TableFileError(_first_line(error)) from error


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0]


def _read_csv(path: Path, wanted: Sequence[str]) -> dict[str, Column]:
    with path.open(encoding="utf-8-sig", newline="") as lines:
        rows = csv.reader(lines)
        header = next(rows, [])
        places = [header.index(name) for name in wanted]
        width = max(places) + 1
        kept = [[row[place] for place in places] for row in rows if len(row) >= width]
    return {name: [row[i] for row in kept] for i, name in enumerate(wanted)}


def _read_parquet(path: Path, wanted: Sequence[str]) -> dict[str, Column]:
    table = _parquet().read_table(path, columns=list(wanted))
    return {name: _plain(table.column(name)) for name in wanted}


def _plain(column: Any) -> Column:
    """Values of an arrow column; moments as unix seconds, by way of microseconds, which need no pandas."""
    import pyarrow as pa  # noqa: PLC0415 - an optional dependency, loaded for Parquet only

    if pa.types.is_timestamp(column.type):
        micros = column.cast(pa.timestamp("us", tz=column.type.tz), safe=False).cast(pa.int64())
        return [None if value is None else value / 1e6 for value in micros.to_pylist()]
    values: list[Any] = column.to_pylist()
    return values


def _parquet() -> Any:
    try:
        from pyarrow import parquet  # noqa: PLC0415 - an optional dependency, loaded for Parquet only
    except ImportError as error:
        raise TableFileError(
            "a Parquet file, and pyarrow is not installed",
            remedy="a CSV file, or pip install 'zen-e-ville[demo]'",
            code="no_pyarrow",
        ) from error
    return parquet
