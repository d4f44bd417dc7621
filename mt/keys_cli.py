"""`medloop keys`: who may use the server. A key is shown once, when it is made.

medloop keys add Weblate --scope read --scope translate --days 365
medloop keys list
medloop keys rotate 3f0c… --overlap-hours 24
medloop keys revoke 3f0c…
medloop keys audit
"""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from data.commands import new_app
from data.errors import InputError

if TYPE_CHECKING:
    from mt.api.keys import KeyStore, NewKey

app = new_app("Who may use the server.")
_Database = Annotated[
    str, typer.Option("--database", envvar="MEDLOOP_DATABASE", help="SQLite or PostgreSQL URL of the server.")
]


@app.command()
def add(
    name: Annotated[str, typer.Argument(help="For whom.")],
    scope: Annotated[
        list[str] | None, typer.Option("--scope", help="read, translate, post-edit or admin; several.")
    ] = None,
    days: Annotated[float | None, typer.Option(help="Valid for so many days; else until revoked.")] = None,
    requests_per_minute: Annotated[int | None, typer.Option(min=1)] = None,
    characters_per_month: Annotated[int | None, typer.Option(min=1)] = None,
    database: _Database = "",
) -> None:
    """Make a key; it is shown this once."""
    expires = None if days is None else time.time() + days * 86400
    scopes = tuple(scope) if scope else ("read", "translate")
    _show(_store(database).add(name, scopes, expires, requests_per_minute, characters_per_month))


@app.command("list")
def list_keys(database: _Database = "") -> None:
    """Show the keys: id, name, scopes, state; never the key itself."""
    for key in _store(database).all():
        typer.echo(
            f"{key.id}\t{key.name}\t{','.join(key.scopes)}\t{_day(key.created)}\t"
            f"expires {_day(key.expires)}\trevoked {_day(key.revoked)}"
        )


@app.command()
def revoke(key_id: Annotated[str, typer.Argument(metavar="ID")], database: _Database = "") -> None:
    """End a key at once."""
    _store(database).revoke(key_id)


@app.command()
def rotate(
    key_id: Annotated[str, typer.Argument(metavar="ID")],
    overlap_hours: Annotated[float, typer.Option(min=0, help="The old key works for so long.")] = 0,
    database: _Database = "",
) -> None:
    """Make a key with the same rights, and end the old one."""
    _show(_store(database).rotate(key_id, overlap_hours * 3600))


@app.command()
def audit(database: _Database = "") -> None:
    """Check the chain of the audit log; shows its last number and hash."""
    from mt.api.audit import Audit
    from mt.api.database import open_database
    from mt.api.serve import database_url

    log = Audit(open_database(database_url(database)))
    broken = log.broken()
    if broken is not None:
        raise InputError(f"the audit log was changed: line {broken} does not fit the one before")
    number, last = log.tail()
    typer.echo(f"{number}\t{last}")


def _store(database: str) -> KeyStore:
    from mt.api.database import open_database
    from mt.api.keys import KeyStore
    from mt.api.serve import database_url

    return KeyStore(open_database(database_url(database)))


def _show(made: NewKey) -> None:
    typer.echo(f"id: {made.key.id} (shown once; keep the key safe)", err=True)
    typer.echo(made.token)


def _day(moment: float | None) -> str:
    return "-" if moment is None else datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%d %H:%M")
