"""Where things live and what stays silent, from the environment.

In: environment variables. Out: folders, and an environment in which no library phones home.

    MEDLOOP_HOME=/srv/medloop    everything that runs make: models, corpora, reports, caches
    MEDLOOP_DEBUG=1              a traceback when a bug ends a command

>>> home(environ={"MEDLOOP_HOME": "/srv/medloop"})
PosixPath('/srv/medloop')
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, MutableMapping
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parent.parent

# Hospitals have no outside line, and a translator's text is nobody's statistic.
TELEMETRY_OFF = {
    "DO_NOT_TRACK": "1",
    "DISABLE_TELEMETRY": "1",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "HF_UPDATE_DOWNLOAD_COUNTS": "0",
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "PREFECT_SERVER_UI_SHOW_PROMOTIONAL_CONTENT": "false",
    "RAY_USAGE_STATS_ENABLED": "0",
}


def home(environ: Mapping[str, str] = os.environ) -> Path:
    """The folder for all that runs make: `MEDLOOP_HOME`, else `artifacts/` in a checkout, else the user's."""
    chosen = environ.get("MEDLOOP_HOME", "")
    if chosen:
        return Path(chosen).expanduser().absolute()
    if (CHECKOUT / "pyproject.toml").is_file():
        return CHECKOUT / "artifacts"
    return user_data_folder(environ) / "medloop"


def user_data_folder(environ: Mapping[str, str] = os.environ, platform: str = sys.platform) -> Path:
    """Where each system keeps a user's application data; three lines in place of a dependency."""
    if platform == "darwin":
        return Path.home() / "Library" / "Application Support"
    if platform == "win32":
        return Path(environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    return Path(environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share")


def debugging(environ: Mapping[str, str] = os.environ) -> bool:
    return environ.get("MEDLOOP_DEBUG", "") not in ("", "0")


def switch_telemetry_off(environ: MutableMapping[str, str] = os.environ) -> None:
    """Set before the libraries are imported, as they read it then; what the user has set stays as it is."""
    for name, value in TELEMETRY_OFF.items():
        environ.setdefault(name, value)
