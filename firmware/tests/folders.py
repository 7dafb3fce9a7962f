"""Where the firmware is, for tests that start it themselves."""

from pathlib import Path

HERE = Path(__file__).parent
FIRMWARE = HERE.parent
