"""The server's database: SQLite (WAL) in a file, or PostgreSQL by URL, brought to the newest tables.

In: `sqlite:////var/lib/medloop/state.db` or `postgresql+psycopg://user@host/name`. Out: an SQLAlchemy engine.

    engine = open_database("sqlite:///state.db")
    with writing(engine) as connection:                # one writer at a time, for chains and counters
        connection.execute(...)
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, make_url, text
from sqlalchemy.exc import SQLAlchemyError

from data.errors import ConfigError

_LOCK = 0x6D65646C  # "medl": the advisory lock that writers of one PostgreSQL database share


def open_database(url: str) -> Engine:
    try:
        parsed = make_url(url)
        if parsed.get_backend_name() == "postgresql" and "+" not in parsed.drivername:
            parsed = parsed.set(drivername="postgresql+psycopg")
        if parsed.get_backend_name() == "sqlite" and parsed.database:
            Path(parsed.database).parent.mkdir(parents=True, exist_ok=True)
        # Parameters of a statement never stand in an error: some hold terms of a client.
        engine = create_engine(parsed, hide_parameters=True, pool_pre_ping=True)
        if engine.dialect.name == "sqlite":
            event.listen(engine, "connect", _prepare)
        _migrate(engine)
    except (SQLAlchemyError, ImportError, ValueError, OSError) as error:
        where = url.rpartition("@")[2]
        raise ConfigError(f"cannot open the database {where}: {type(error).__name__}") from None
    return engine


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """A transaction that no other writer is in at the same time."""
    with engine.connect() as connection:
        if engine.dialect.name == "sqlite":
            connection.exec_driver_sql("BEGIN IMMEDIATE")
        else:
            connection.execute(text(f"SELECT pg_advisory_xact_lock({_LOCK})"))
        try:
            yield connection
            connection.commit()
        except BaseException:
            connection.rollback()
            raise


def _prepare(connection: Any, _record: object) -> None:
    connection.isolation_level = None  # ours to begin; Python's own would begin too late
    for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "busy_timeout=5000", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {pragma}")


def _migrate(engine: Engine) -> None:
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    with writing(engine) as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
