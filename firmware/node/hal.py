"""The hardware under the node, the same names on every port. The one place that knows which port it is."""

try:
    import esp32  # noqa: F401  who has it is an ESP32, or stands in for one
except ImportError:
    from node.hal_unix import *  # noqa: F403  same names in both, and names cost flash
    from node.hal_unix import __getattr__
else:
    from node.hal_esp32 import *  # noqa: F403
    from node.hal_esp32 import __getattr__  # noqa: F401
