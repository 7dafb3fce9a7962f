"""A CSV or Parquet file as columns of text, numbers or moments; nothing about power in here."""

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import Any

Column = Sequence[Any]  # str from a CSV; str, int, float, None or unix microseconds from a Parquet


class TableFileError(Exception):
    """A file that cannot be read as a table; the text is what was found."""


def read_columns(path: Path, wanted: Sequence[str]) -> dict[str, Column]:
    """The wanted columns of a file, all of the same length."""
    read = _read_parquet if path.suffix == ".parquet" else _read_csv
    try:
        return read(path, wanted)
    except OSError as error:
        raise TableFileError(error.strerror or str(error)) from error


def read_names(path: Path) -> list[str]:
    """The names of the columns."""
    try:
        if path.suffix == ".parquet":
            return [str(name) for name in _parquet().ParquetFile(path).schema_arrow.names]
        with path.open(encoding="utf-8-sig", newline="") as lines:
            return next(csv.reader(lines), [])
    except (OSError, UnicodeDecodeError) as error:
        raise TableFileError(str(error)) from error


def _read_csv(path: Path, wanted: Sequence[str]) -> dict[str, Column]:
    with path.open(encoding="utf-8-sig", newline="") as lines:
        rows = csv.reader(lines)
        header = next(rows, [])
        places = [header.index(name) for name in wanted]
        width = max(places) + 1
        kept = [[row[place] for place in places] for row in rows if len(row) >= width]
    return {name: [row[i] for row in kept] for i, name in enumerate(wanted)}


def _read_parquet(path: Path, wanted: Sequence[str]) -> dict[str, Column]:
    parquet = _parquet()
    try:
        table = parquet.read_table(path, columns=list(wanted))
    except ValueError as error:  # pyarrow's ArrowInvalid
        raise TableFileError(str(error)) from error
    return {name: _plain(table.column(name)) for name in wanted}


def _plain(column: Any) -> Column:
    """Values of an arrow column; moments as unix microseconds, which need no pandas."""
    import pyarrow as pa  # noqa: PLC0415 - an optional dependency, loaded for Parquet only

    if pa.types.is_timestamp(column.type):
        column = column.cast(pa.timestamp("us", tz=column.type.tz), safe=False).cast(pa.int64())
    values: list[Any] = column.to_pylist()
    return values


def _parquet() -> Any:
    try:
        from pyarrow import parquet  # noqa: PLC0415 - an optional dependency, loaded for Parquet only
    except ImportError as error:
        raise TableFileError(
            "a Parquet file, and pyarrow is not installed (pip install 'zen-e-ville[demo]')"
        ) from error
    return parquet
