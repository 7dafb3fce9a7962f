"""Imported first: makes `node` and `wire` importable in CPython as they are on a board."""

import importlib
import sys
from pathlib import Path
from types import SimpleNamespace

FIRMWARE = Path(__file__).parent.parent

sys.path[:0] = [str(FIRMWARE), str(FIRMWARE.parent)]
sys.modules.setdefault("wire", importlib.import_module("gateway.wire"))
sys.modules.setdefault("micropython", SimpleNamespace(const=lambda value: value))
