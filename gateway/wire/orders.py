"""Orders: the gateway lends an actuator a set-point for a while; the node answers what became of it.

Order (sealed JSON, topic `set`):
{"sid": 840000000, "seq": 7, "act": 0, "v": [-1200], "ttl": 10000, "at": 840000123}
- `sid` names a run of the gateway and rises from run to run, `seq` rises within it: nothing is ever obeyed twice.
- `v` holds one whole number for each `set` entry of the actuator; null gives the actuator back (safe values now).
- `ttl` is the lease in ms on the node's own monotonic clock from the moment of arrival.
- `at` is the moment of writing, seconds since 2000; a node whose clock is synced refuses an order older than its ttl.

Answer (JSON, topic `ack`):
{"boot": 1, "sid": 840000000, "seq": 7, "act": 0, "done": "applied", "why": "", "v": [-1200],
 "s": 840000123, "ms": 40, "w": 1}
- `done`: applied (written and acknowledged by the device), released, expired, safe (boot, stop or loss of the gateway),
  refused (never written) or failed (the device did not take it).
- `why` of a refusal: retained (kept by the broker: never obeyed), seal (forged, cut or not JSON), fields (one is
  missing or of a wrong kind), session (an older run of the gateway), sequence (not newer than the last one), old
  (written longer ago than its ttl), actuator (there is none), ttl (longer than the table allows), count (not one value
  for each register), range (outside of what the table allows); of a failure: device.
- `w` is 1 when the device was really written; an order with the values that it already has only renews the lease.
- `s`, `ms`: the moment of the device's answer on the node's clock. `sid` and `seq` are those of the last order.
"""

APPLIED = "applied"
RELEASED = "released"
EXPIRED = "expired"
SAFE = "safe"
REFUSED = "refused"
FAILED = "failed"


def flaw(order: dict) -> bool:
    """True when a field of an order is missing or of a wrong kind."""
    for key in ("sid", "seq", "act", "ttl", "at"):
        value = order.get(key)
        if not isinstance(value, int) or isinstance(value, bool) or value < 0:
            return True
    values = order.get("v", 0)
    if values is None:
        return False
    return not isinstance(values, list) or not all(isinstance(v, int) and not isinstance(v, bool) for v in values)
