"""The commands' page in docs/ is what the commands say today."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def builder() -> ModuleType:
    spec = importlib.util.spec_from_file_location("build_commands", ROOT / "docs" / "build_commands.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_page_is_current(builder: ModuleType) -> None:
    assert builder.PAGE.read_text(encoding="utf-8") == builder.page(), (
        "run `make docs` and commit docs/commands.md"
    )


def test_the_page_has_a_section_for_each_command(builder: ModuleType) -> None:
    from flows.cli import COMMANDS

    page = builder.PAGE.read_text(encoding="utf-8")
    for name in COMMANDS:
        assert f"\n### `medloop {name}`\n" in page
