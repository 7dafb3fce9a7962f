"""The console of a node on a serial port: JSON lines, as `firmware/node/console.py` describes them."""

import contextlib
import json
import time
from collections.abc import Callable, Iterator, Mapping
from types import TracebackType
from typing import Any, Self

import serial

from gateway.commission.faults import CommissionError

BAUD = 115200
QUICK_S = 3.0  # for what a node answers at once
AGAIN_S = 1.5  # a question that a starting node did not hear is asked again


class Console:
    """Open on a port until closed; `log` gets every line that is no answer."""

    def __init__(self, port: str, log: Callable[[str], None] = lambda _line: None) -> None:
        self._log = log
        self._number = int(time.time()) % 1_000_000  # an answer to somebody before us is not ours
        self._buffer = b""
        self.port = port
        try:
            self._serial = serial.Serial(port, BAUD, timeout=0.05, write_timeout=5)
        except (serial.SerialException, ValueError) as error:
            raise CommissionError("port", port=port, why=str(error)) from error

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Leave the port to others."""
        self._serial.close()

    def connect(self, patience_s: float = 30.0, **expected: object) -> Mapping[str, Any]:
        """The node's `info`, asked until it answers and every `expected` field has its value."""
        end = time.monotonic() + patience_s
        while time.monotonic() < end:
            with contextlib.suppress(_SilentError):
                info: Mapping[str, Any] = self._exchange("info", {}, AGAIN_S, None)
                if all(info.get(name) == value for name, value in expected.items()):
                    return info
                time.sleep(0.2)
        raise CommissionError("silent", port=self.port, wait_s=patience_s)

    def ask(
        self, do: str, *, patience_s: float = QUICK_S, now: Callable[[Any], None] | None = None, **fields: object
    ) -> Any:
        """The answer to a request; `now` gets each step of it. CommissionError when it is refused or does not come.

        The patience begins anew with each step.
        """
        try:
            return self._exchange(do, fields, patience_s, now)
        except _SilentError:
            raise CommissionError("silent", port=self.port, wait_s=patience_s) from None

    def listen(self, seconds: float) -> None:
        """Gives what the node says on its own to `log` for so long."""
        for _ in self._answers(seconds):
            pass

    def _exchange(
        self, do: str, fields: Mapping[str, object], patience_s: float, now: Callable[[Any], None] | None
    ) -> Any:
        self._number += 1
        request = json.dumps({"id": self._number, "do": do} | dict(fields), separators=(",", ":"))
        self._write(b"\n" + request.encode() + b"\n")  # the first ends whatever somebody left half said
        again = True
        while again:
            again = False
            for said in self._answers(patience_s):
                if said.get("id") != self._number:
                    continue
                if "error" in said:
                    raise CommissionError("refused", do=do, why=str(said["error"]))
                if "ok" in said:
                    return said["ok"]
                if now is not None:
                    now(said.get("now"))
                again = True
                break
        raise _SilentError

    def _write(self, data: bytes) -> None:
        try:
            self._serial.write(data)
        except (serial.SerialException, OSError) as error:
            raise CommissionError("port", port=self.port, why=str(error)) from error

    def _answers(self, seconds: float) -> Iterator[Mapping[str, Any]]:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            while b"\n" in self._buffer:
                line, _, self._buffer = self._buffer.partition(b"\n")
                said = _object(line)
                if said is None:
                    self._log(line.decode("utf-8", "replace").strip())
                else:
                    yield said
            try:
                self._buffer += self._serial.read(max(self._serial.in_waiting, 1))
            except (serial.SerialException, OSError) as error:
                raise CommissionError("port", port=self.port, why=str(error)) from error


class _SilentError(Exception):
    """No answer in time."""


def _object(line: bytes) -> Mapping[str, Any] | None:
    try:
        said = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return said if isinstance(said, dict) and "id" in said else None
