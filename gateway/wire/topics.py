"""MQTT topics: `zev/1/<site>/<node>/<leaf>`.

| leaf   | from    | QoS | retained | payload                                                    |
|--------|---------|-----|----------|------------------------------------------------------------|
| state  | node    | 1   | yes, and the node's will | JSON: up, boot, table, fw                  |
| data   | node    | 1   | no       | records (`wire.records`)                                   |
| ack    | node    | 1   | no       | JSON: what became of an order                              |
| health | node    | 0   | no       | JSON: memory, ring, buses, units, orders                   |
| test   | node    | 1   | no       | JSON: boot, table, and the rows of its self-test (see `test` of the console) |
| heard  | gateway | 0   | no       | JSON: a boot and the sequence up to which all is stored    |
| cfg    | gateway | 1   | yes      | sealed JSON: the poll table (`wire.table`)                 |
| set    | gateway | 1   | never    | sealed JSON: an order (`wire.orders`)                      |
| ota    | gateway | 1   | never    | sealed JSON: begin or abort an update (`wire.release`)     |
| pull   | node    | 0   | no       | JSON: the piece of a release it needs, or how that ended   |
| chunk  | gateway | 0   | never    | that piece: build, file, offset, bytes                     |

`gateway` in the place of a node is the gateway itself: `zev/1/<site>/gateway/state` is its presence (retained, with a
will; JSON: up, instance, sid as in its orders, run, and will when the broker says it), and `.../gateway/probe` goes
round from it to itself, to know when everything older has been heard.
"""

ROOT = "zev/1"
STATE = "state"
DATA = "data"
ACK = "ack"
HEALTH = "health"
TEST = "test"
HEARD = "heard"
CFG = "cfg"
SET = "set"
OTA = "ota"
PULL = "pull"
CHUNK = "chunk"
GATEWAY = "gateway"
PROBE = "probe"


def topic(site: str, node: str, leaf: str) -> str:
    """`zev/1/<site>/<node>/<leaf>`."""
    return "/".join((ROOT, site, node, leaf))
