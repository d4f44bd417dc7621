"""The embedded server has the database of Prefect's own migrations, and ends with its flow."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from pathlib import Path

from flows.embedded_server import DATABASE, make_database, tables


def test_the_tables_are_those_of_the_prefect_that_is_pinned(tmp_path: Path) -> None:
    from alembic.script import ScriptDirectory
    from prefect.server.database.alembic_commands import alembic_config

    assert make_database({"PREFECT_HOME": str(tmp_path)})
    assert [path.name for path in tmp_path.iterdir()] == [DATABASE]
    with sqlite3.connect(tmp_path / DATABASE) as database:
        [(revision,)] = database.execute("SELECT version_num FROM alembic_version").fetchall()
        names = {name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    assert {"flow_run", "task_run", "deployment", "work_pool"} <= names
    versions = Path(alembic_config().config_file_name or "").parent / "_migrations" / "versions" / "sqlite"
    heads = ScriptDirectory(str(versions.parents[1]), version_locations=[str(versions)]).get_heads()
    assert heads == [revision]


def test_what_is_there_or_the_users_own_stays(tmp_path: Path) -> None:
    (tmp_path / DATABASE).write_text("", encoding="utf-8")
    assert not make_database({"PREFECT_HOME": str(tmp_path)})
    own = {
        "PREFECT_HOME": str(tmp_path / "new"),
        "PREFECT_API_DATABASE_CONNECTION_URL": "postgresql+asyncpg://db/p",
    }
    assert not make_database(own)
    assert tables().name.startswith("prefect-")


def test_it_ends_with_the_flow() -> None:
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    code = f"from flows.embedded_server import end_with; end_with({gone.pid})"
    assert subprocess.run([sys.executable, "-c", code], timeout=60, check=False).returncode == 1
