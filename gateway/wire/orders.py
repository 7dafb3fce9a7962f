"""Orders: the gateway sends a set-point with a lease and renews it; the node answers what became of it.

Order (sealed JSON, topic `set`):
{"boot": 1, "sid": 840000000, "seq": 7, "act": 0, "v": [-1200], "ttl": 10000, "at": 840000123}
- `boot` names the run of the node that is to obey, as its `state` says: what was recorded before a restart is void.
- `sid` is the session of the gateway and rises from run to run (and within one, above what other gateways had), `seq`
  rises within it: nothing is ever obeyed twice.
- `v` holds one whole number for each `set` entry of the actuator; null gives the actuator back (safe values now).
- `ttl` is the lease in ms on the node's own monotonic clock from the moment of arrival. At its end, at the node's
  start and stop, and when the gateway is gone, the node writes the safe values; before they are written no order is.
- `at` is the moment of writing on the node's own clock, seconds since 2000, as the gateway reads that clock from the
  records that come; 4294967295 while the node does not know the time. A node whose clock is synced refuses an order
  older than its ttl: so neither clock has to be right.

Answer (JSON, topic `ack`):
{"boot": 1, "sid": 840000000, "seq": 7, "act": 0, "done": "applied", "why": "", "v": [-1200], "rb": [4294966096, 802],
 "s": 840000123, "ms": 40, "w": 1}
- `done`: applied (written, acknowledged by the device and read back), released, expired, safe (boot, stop or loss of
  the gateway), refused (never written) or failed (the device does not hold it; tried again, and reported once).
- `why` of a refusal: retained (kept by the broker: never obeyed), size (longer than 512 bytes), seal (forged, cut,
  longer than 8 kB or not JSON), fields (one is missing or of a wrong kind), session (an older run of the gateway),
  sequence (not newer than the last one, or a newer one came before it was written), boot (for another run of the node),
  mode (the node runs in safe mode and writes nothing), boots (the last ones were short: orders are taken again once
  this one has lasted two minutes), update (it is about to restart into a new release), stop (it ends its run), old
  (written longer ago than its ttl), actuator (there is none), ttl (longer than the table allows), count (not one value
  for each register), range (outside of what the table allows), device (it does not take its safe values), budget (no
  write is left today but that of the safe values).
- `why` of a failure: device (no answer, or an exception), readback (it holds something else, or could not be
  asked), lease (it ended during the writing),
  mode, budget.
- `rb` is what was read back: for each write (of an order: `arm`, `set`, `go` of the table) its registers as one number
  without sign, the first register highest; null for one that cannot be read back, and null for all when the write or
  the reading failed. It is read right after the write, and once more a little later if it differs.
- `w` is 1 when the device was really written; an order with the values that it already has only renews the lease.
- `s`, `ms`: the moment of the device's answer on the node's clock. `sid` and `seq` are those of the last order.

The node's `health` has the answers counted by `why`, or by `done` where there is none (`orders`), and for each actuator
(`actuators`) [values requested or null, values applied or null when the device may hold anything, `rb`, `done` of what
put there what it holds, `why` of what went wrong last].
"""
