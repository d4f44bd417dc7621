"""The embedded server has the database of Prefect's own migrations, and ends with its flow."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from data.errors import InputError
from flows.embedded_server import DATABASE, has_all_tables, make_database, tables
from flows.engine import start_server


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


def test_migrations_are_left_out_only_where_there_is_nothing_to_do(tmp_path: Path) -> None:
    environ = {"PREFECT_HOME": str(tmp_path)}
    assert not has_all_tables(environ)
    make_database(environ)
    assert has_all_tables(environ)
    assert not has_all_tables(environ | {"PREFECT_API_DATABASE_CONNECTION_URL": "postgresql+asyncpg://db/p"})
    with sqlite3.connect(tmp_path / DATABASE) as database:
        database.execute("UPDATE alembic_version SET version_num = 'older'")
    assert not has_all_tables(environ)
    (tmp_path / DATABASE).write_text("no database", encoding="utf-8")
    assert not has_all_tables(environ)


def test_a_server_that_does_not_come_up_is_told_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    environ = {**os.environ, "PREFECT_HOME": str(tmp_path / "file")}  # no folder, so no database
    environ.pop("PREFECT_API_URL", None)
    server = start_server(environ)
    assert server is not None
    assert environ["PREFECT_API_URL"] == server.api_url
    with pytest.raises(
        InputError, match=r"embedded server did not come up \(\w+\): remove its books .*prefect\.db"
    ):
        server.join()
    server.stop()


def test_it_ends_well_where_it_can() -> None:
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    code = f"""if True:
        import signal, sys, threading, time
        from flows.embedded_server import end_well, end_with
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(7))
        threading.Thread(target=end_with, args=({gone.pid}, end_well), daemon=True).start()
        time.sleep(50)
    """
    assert subprocess.run([sys.executable, "-c", code], timeout=60, check=False).returncode == 7


def test_it_ends_with_the_flow() -> None:
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    code = f"from flows.embedded_server import end_with; end_with({gone.pid})"
    assert subprocess.run([sys.executable, "-c", code], timeout=60, check=False).returncode == 1
