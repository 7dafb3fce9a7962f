"""What is wrong with what a person brought to a study or a bench, in one sentence of their language."""

from collections.abc import Sequence
from pathlib import Path

from gateway.simulator.recordings.table_file import TableFileError


class InputError(Exception):
    """A file or an option that cannot be used: `code` is a text of `study.bad.…`, `facts` are what it names."""

    def __init__(self, path: Path, code: str, **facts: str) -> None:
        self.code, self.facts = code, {"file": str(path), **facts}
        super().__init__(f"{path}: {code} ({', '.join(f'{k} {v}' for k, v in facts.items())}), see docs/study.md")


def no_table(path: Path, error: TableFileError) -> InputError:
    """Of a file that is no table, or one that cannot be read here."""
    return InputError(path, error.code, found=str(error))


def no_columns(path: Path, needed: str, names: Sequence[str]) -> InputError:
    """Of a file without the columns that are needed."""
    return InputError(path, "columns", needed=needed, found=", ".join(names[:20]) or "—")
