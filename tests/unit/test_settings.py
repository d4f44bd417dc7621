"""Where runs put things, and that nothing phones home."""

from __future__ import annotations

from pathlib import Path

import pytest

from data import settings


@pytest.mark.parametrize(
    ("environ", "folder"),
    [
        ({"MEDLOOP_HOME": "/srv/medloop"}, Path("/srv/medloop")),
        ({"MEDLOOP_HOME": "runs"}, Path.cwd() / "runs"),
        ({"MEDLOOP_HOME": ""}, settings.CHECKOUT / "artifacts"),
        ({}, settings.CHECKOUT / "artifacts"),
    ],
)
def test_home_in_a_checkout(environ: dict[str, str], folder: Path) -> None:
    assert settings.home(environ) == folder


def test_home_of_an_installed_copy(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(settings, "CHECKOUT", tmp_path)
    assert settings.home({"XDG_DATA_HOME": "/x"}) == Path("/x/medloop")
    assert settings.home({}) == Path.home() / ".local/share/medloop"


@pytest.mark.parametrize(
    ("platform", "environ", "folder"),
    [
        ("linux", {"XDG_DATA_HOME": "/x"}, "/x"),
        ("linux", {}, "~/.local/share"),
        ("darwin", {"XDG_DATA_HOME": "/x"}, "~/Library/Application Support"),
        ("win32", {"LOCALAPPDATA": "/c/local"}, "/c/local"),
        ("win32", {}, "~/AppData/Local"),
    ],
)
def test_user_data_folder(platform: str, environ: dict[str, str], folder: str) -> None:
    assert settings.user_data_folder(environ, platform) == Path(folder).expanduser()


def test_telemetry_is_off_unless_the_user_chose() -> None:
    environ = {"HF_HUB_DISABLE_TELEMETRY": "0"}
    settings.switch_telemetry_off(environ)
    assert environ["HF_HUB_DISABLE_TELEMETRY"] == "0"
    assert environ["DO_NOT_TRACK"] == "1"
    assert environ["PREFECT_SERVER_ANALYTICS_ENABLED"] == "false"
    assert environ["RAY_USAGE_STATS_ENABLED"] == "0"


def test_the_libraries_see_it() -> None:
    """Their names of these variables change between versions: ask the libraries themselves."""
    constants = pytest.importorskip("huggingface_hub.constants")
    assert constants.HF_HUB_DISABLE_TELEMETRY is True
    prefect_settings = pytest.importorskip("prefect.settings")
    assert prefect_settings.get_current_settings().server.analytics_enabled is False


@pytest.mark.parametrize(("value", "debugging"), [("1", True), ("0", False), ("", False)])
def test_debugging(value: str, debugging: bool) -> None:
    assert settings.debugging({"MEDLOOP_DEBUG": value}) is debugging
