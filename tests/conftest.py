"""No test sees this machine: not its home, its keys, its hubs, nor what earlier runs have left."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import hypothesis
import pytest

from data.settings import switch_telemetry_off

# These are read when the libraries are imported, so a fixture would come too late.
switch_telemetry_off()
os.environ.update(HF_HUB_OFFLINE="1", TRANSFORMERS_OFFLINE="1", HF_DATASETS_OFFLINE="1", NO_COLOR="1")
os.environ["PREFECT_HOME"] = tempfile.mkdtemp(prefix="medloop-tests-prefect-")
os.environ["HF_HOME"] = tempfile.mkdtemp(prefix="medloop-tests-hub-")

# A busy machine must not fail a test.
hypothesis.settings.register_profile("medloop", deadline=None)
hypothesis.settings.load_profile("medloop")

_SECRETS = ("OPENAI_API_KEY", "OPENAI_BASE_URL", "HF_TOKEN", "HUGGING_FACE_HUB_TOKEN", "PREFECT_API_KEY")


@pytest.fixture(autouse=True)
def isolated_environment(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home of its own for each test; returns it."""
    for name in os.environ:
        if name.startswith("MEDLOOP_") or name in _SECRETS:
            monkeypatch.delenv(name)
    folder = tmp_path_factory.mktemp("home")
    monkeypatch.setenv("HOME", str(folder))
    monkeypatch.setenv("MEDLOOP_HOME", str(folder / "medloop"))
    for name in ("XDG_DATA_HOME", "XDG_CACHE_HOME", "XDG_CONFIG_HOME"):
        monkeypatch.delenv(name, raising=False)
    return folder
