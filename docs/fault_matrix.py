"""Writes docs/faults.md: `make fault-matrix`."""

from pathlib import Path

from gateway.trial.matrix import page

ROOT = Path(__file__).parents[1]

if __name__ == "__main__":
    (ROOT / "docs" / "faults.md").write_text("\n".join(page(ROOT)) + "\n", encoding="utf-8")
