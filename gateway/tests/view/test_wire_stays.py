"""What goes out over HTTP is byte for byte what clients of 0.1.0 know."""

import json
from pathlib import Path

import pytest

from gateway.tests.view.scene import SCENES

RECORDED = json.loads((Path(__file__).parent / "recorded.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("scene", SCENES)
async def test_the_api_answers_as_it_was_recorded(scene: str, tmp_path: Path) -> None:
    answered = await SCENES[scene](tmp_path)
    assert set(answered) == set(RECORDED[scene])
    for path, text in RECORDED[scene].items():
        assert answered[path] == text, path
