"""The hardware under the node, the same names on every port. The one place that knows which port it is."""

try:
    import esp32  # noqa: F401  a machine that has it is an ESP32, or stands in for one
except ImportError:
    from node import hal_unix as port
else:
    from node import hal_esp32 as port  # type: ignore[no-redef]


def __getattr__(name: str):  # type: ignore[no-untyped-def]  # firmware/rare.py lists them
    return getattr(port, name)
