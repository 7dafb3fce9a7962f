"""Types that only annotations name: a checker reads this file, no interpreter does, and no board has it."""

from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, Protocol, TypeAlias

Buffer: TypeAlias = bytes | bytearray | memoryview
Beat: TypeAlias = Callable[..., object]  # "I am alive"; the supervisor takes a pause in ms with it
Say: TypeAlias = Callable[[str], object]
Push: TypeAlias = Callable[[int, int, Buffer, int], object]  # block, flag, data, registers: one record
Tell: TypeAlias = Callable[[Any], object]  # a step of the console's answer
Row: TypeAlias = Callable[[str, int, bool, str], object]  # step, n, ok, text of the self-test
Conf: TypeAlias = dict[str, Any]  # an object of a JSON text that wire.essentials or wire.table has checked
Spec: TypeAlias = dict[str, Any]  # an entry of such an object
Handler: TypeAlias = tuple[Any, ...] | None  # (function, *what); it gets the payload and whether it was kept, too
Make: TypeAlias = Callable[..., Coroutine[Any, Any, Any]]
Ready: TypeAlias = Callable[[], Awaitable[bool]]
Address: TypeAlias = Any  # what getaddrinfo gives: a tuple on a board, a struct on a computer
Order: TypeAlias = tuple[int, int, list[int] | None]  # sid, seq, values
Write: TypeAlias = tuple[int, list[int]] | list[Any]  # address, words; a list where it comes from a JSON text
Fit: TypeAlias = Callable[[], bool | str]

class Memory(Protocol):
    """What survives power cuts (memory.py), or stands in for it."""

    here: str
    def get(self, key: str) -> int: ...
    def put(self, key: str, value: int) -> object: ...
    def text(self, key: str) -> str: ...
    def write(self, key: str, text: str) -> object: ...

class Stream(Protocol):
    """asyncio's reader, as a port gives it."""

    async def readinto(self, buffer: bytearray | memoryview) -> int | None: ...

class SerialLine(Protocol):
    """A serial line of a hal."""

    stream: Stream
    def readinto(self, buffer: bytearray | memoryview) -> int | None: ...
    def write(self, frame: Buffer) -> object: ...
    def close(self) -> object: ...

class Console(Protocol):
    """Whom the console speaks about: the App of a running node, or the Setup of one that has no place."""

    boot: int
    build: int
    version: str
    mode: str
    conf: Conf
    memory: Memory
    pending: dict[str, str]
    log: Any
    link: Any
    plant: Any
    def say(self, text: str, /) -> object: ...
    def push(self, block: int, flag: int, data: Buffer, count: int) -> object: ...
    def health(self) -> Conf: ...
    def restart(self, why: str, /) -> object: ...

class Part(Protocol):
    """Where the pieces of a release go: a file, or the image of the interpreter."""

    def size(self) -> int: ...
    def append(self, piece: bytes) -> object: ...
    def remove(self) -> object: ...
    async def digest(self, beat: Beat) -> bytes: ...
