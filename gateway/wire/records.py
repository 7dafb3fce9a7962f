"""Raw register blocks as they travel: a batch of records in one MQTT message, big endian.

Batch:  version u8 | count u8 | table u32 | boot u32 | oldest u32 | s u32 | ms u16
Record: seq u32 | s u32 | ms u16 | clock u8 | block u8 | flag u8 | n u8 | n registers u16

- `table` is the identity of the poll table that the block numbers refer to (`wire.table.identity`).
- `seq` starts at 1 and rises by one with each record of a boot; `oldest` is the lowest one the node still holds.
- `s`, `ms` of a record are the moment the answer arrived: seconds since 2000-01-01 UTC, or uptime while `clock` is
  CLOCK_UNKNOWN. Those of the batch are the moment it left, on the same clock: so the age of a record is known even
  when its time is not. A batch of a former boot (kept on flash) does not say when it left.
- What waits on the flash of the node comes after a restart under its own boot; the gateway says `heard` for each boot.
- a read that failed is a record too: `flag` says why and there are no registers
  (one for EXCEPTION: the code of the device; one for WRONG_REPLY when it came on TCP under another transaction or from
  another unit: 1).
"""

VERSION = 2
EPOCH_2000 = 946684800  # unix time of 2000-01-01 00:00 UTC

CLOCK_UNKNOWN = 0  # s is uptime
CLOCK_HELD = 1  # set once, now running free or more than a second off; or uptime, dated afterwards
CLOCK_SYNCED = 2

OK = 0
TIMEOUT = 1  # no answer in time
BAD_FRAME = 2  # checksum, length or header wrong
EXCEPTION = 3  # the device refused; the register is its exception code
NO_LINK = 4  # connection refused or lost, or port missing
WRONG_REPLY = 5  # well-formed, but another unit, function or count than asked
NO_MODEL = 6  # the SunSpec chain has no such model

HEADER = ">BBIIIIH"
HEADER_SIZE = 20
RECORD = ">IIHBBBB"
RECORD_SIZE = 14
MAX_BATCH = 1024  # bytes of one message, so that small brokers and small heaps cope


def record_size(registers: int) -> int:
    """Bytes of a record with so many registers."""
    return RECORD_SIZE + 2 * registers
