"""Poll tables of the tests."""


def line(**values) -> dict:
    return {
        "kind": "rtu",
        "port": "rs485",
        "baud": 9600,
        "parity": "N",
        "stop": 1,
        "timeout_ms": 100,
        "gap_ms": 4,
    } | values


def tic(**values) -> dict:
    return {"kind": "tic", "port": "tic", "baud": 1200, "bits": 7, "parity": "E"} | values


def tcp(port: int, **values) -> dict:
    return {"kind": "tcp", "host": "127.0.0.1", "port": port, "timeout_ms": 200, "gap_ms": 0} | values


def block(unit: int, address: int, count: int, ms: int = 200, **values) -> dict:
    return {"u": unit, "fc": 4, "a": address, "n": count, "ms": ms} | values


SAFE = (40151, [0, 803])  # what gives the battery back

BATTERY = {
    "u": 0,
    "arm": [],
    "set": [[40149, "i", -5000, 5000]],
    "go": [[40151, [0, 802]]],
    "safe": [[40151, [0, 803]]],
    "refresh_ms": 15000,
    "ttl_ms": 15000,
}


def table(buses: list, units: list, blocks: list = (), actuators: list = ()) -> dict:
    return {
        "v": 1,
        "node": "cellar",
        "buses": buses,
        "units": units,
        "blocks": list(blocks),
        "actuators": list(actuators),
    }


def battery_table(port: int, unit: int = 3, write_function: int = 16, **actuator) -> dict:
    """A battery on TCP with the set-point of an SMA storage inverter."""
    units = [{"bus": 0, "id": unit, "wfc": write_function}]
    return table([tcp(port)], units, [block(0, 30775, 2)], [BATTERY | actuator])


def writes(slave) -> list:
    return [(address, words) for _, _, address, words in slave.written]
