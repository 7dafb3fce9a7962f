"""The hardware under the node: Line, network and reset. The one place that knows which hardware it is."""

import sys

if sys.platform == "esp32":
    from node.hal_esp32 import *  # noqa: F403  same names in both, and names cost flash
else:
    from node.hal_unix import *  # noqa: F403
