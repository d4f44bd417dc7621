"""Keys, audit and glossaries in SQLite and, where its programs are installed, PostgreSQL."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from data.errors import ConfigError
from mt.api.access import Gate
from mt.api.audit import Audit, Entry
from mt.api.database import open_database
from mt.api.glossaries import GlossaryStore, parse_terms
from mt.api.keys import Key, KeyStore
from mt.api.problems import Problem
from mt.api.serve import checked_settings
from mt.api.settings import ApiSettings
from mt.api.tables import metadata


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def engine(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    folder = tmp_path_factory.mktemp("state")
    if request.param == "sqlite":
        yield open_database(f"sqlite:///{folder / 'state.db'}")
        return
    programs = next(iter(sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)), None)
    if programs is None:
        pytest.skip("PostgreSQL's programs are not installed")
    own: list[str | Path] = ["setpriv", "--reuid=nobody", "--clear-groups"] if os.geteuid() == 0 else []
    place = Path(f"/tmp/medloop-test-postgres-{os.getpid()}")
    place.mkdir()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    try:
        if own:
            shutil.chown(place, "nobody")
        made = subprocess.run(
            [*own, programs / "initdb", "-D", place / "data", "-U", "medloop", "-A", "trust", "--no-sync"],
            capture_output=True, check=False, cwd="/",
        )  # fmt: skip
        if made.returncode:
            pytest.skip("PostgreSQL cannot make a database here")
        flags = f"-F -p {port} -c listen_addresses=127.0.0.1 -k {place}"
        control = [*own, programs / "pg_ctl", "-D", place / "data", "-w", "-l", place / "log"]
        subprocess.run([*control, "-o", flags, "start"], check=True, capture_output=True, cwd="/")
        opened = open_database(f"postgresql://medloop@127.0.0.1:{port}/postgres")
        yield opened
        opened.dispose()
        subprocess.run([*control, "-m", "fast", "stop"], check=False, capture_output=True, cwd="/")
    finally:
        shutil.rmtree(place, ignore_errors=True)


def test_migrations_make_the_tables_of_the_code(engine: Engine) -> None:
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext

    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []


def test_keys_are_hashed_expire_rotate_and_end(engine: Engine) -> None:
    store = KeyStore(engine)
    made = store.add("Weblate", ("read", "translate"), requests_per_minute=2, characters_per_month=10)
    found = store.find(made.token)
    assert found == made.key
    assert store.find(made.token + "x") is None
    assert store.find("ml_ffffffffffff_x") is None
    with engine.connect() as connection:
        stored = str(connection.execute(text("SELECT * FROM api_keys")).all())
    assert made.token.split("_", 2)[2] not in stored  # the secret itself may have underscores
    assert made.token not in repr(made)
    late = store.add("late", expires=time.time() - 1)
    assert store.find(late.token) is None
    newer = store.rotate(made.key.id)
    assert store.find(made.token) is None
    assert store.find(newer.token) == newer.key
    store.revoke(newer.key.id)
    assert store.find(newer.token) is None
    with pytest.raises(ConfigError, match="valid: read, translate"):
        store.add("x", ("root",))


def test_scopes_rates_and_quotas(engine: Engine) -> None:
    store = KeyStore(engine)
    gate = Gate(store, ApiSettings("", require_key=True))
    made = store.add("x", ("translate",), requests_per_minute=2, characters_per_month=10)
    for token, scope, kind in (
        ("", "read", "no-key"),
        ("ml_a_b", "read", "bad-key"),
        (made.token, "admin", "scope"),
    ):
        with pytest.raises(Problem, match=kind):
            gate.admit(token, scope)
    gate.admit(made.token, "translate")
    gate.admit(made.token, "translate")
    with pytest.raises(Problem, match="rate") as caught:
        gate.admit(made.token, "translate")
    assert caught.value.retry_after_seconds
    gate.charge(made.key, 10)
    Audit(engine).write(Entry(made.key.id, "translate", 6))
    with pytest.raises(Problem, match="quota"):
        gate.charge(made.key, 5)


def test_a_changed_audit_line_shows(engine: Engine) -> None:
    audit = Audit(engine)
    for number in range(3):
        audit.write(Entry("k", "translate", number, "en-pt", findings=1))
    assert audit.broken() is None
    last = audit.tail()[0]
    with engine.begin() as connection:
        connection.execute(text(f"UPDATE api_audit SET findings = 0 WHERE number = {last - 1}"))
    assert audit.broken() == last - 1
    with engine.begin() as connection:
        connection.execute(text(f"UPDATE api_audit SET findings = 1 WHERE number = {last - 1}"))
    assert audit.broken() is None


def test_glossaries_belong_to_their_owner(engine: Engine) -> None:
    store, pair = GlossaryStore(engine), ("en", "pt")
    ana, other = Key("ana", "", ("translate",)), Key("bob", "", ("translate",))
    made = store.create("house", ana, {pair: parse_terms("hold,suspender\n", "csv", pair)})
    changed = store.change(made.id, ana, pair, parse_terms("rest,repousar", "csv", pair), ["hold"])
    assert changed.version == 2
    assert [term.source for term in store.terms(made.id, ("en", "pt-BR"), ana)] == ["rest"]
    assert store.termbases([made.id], pair, ana)[1] == f"{made.id}@2"
    with pytest.raises(Problem, match="glossary-unknown"):
        store.get(made.id, other)
    shared = store.create("all", Key("adm", "", ("admin",)), {pair: parse_terms("a,b", "csv", pair)})
    store.get(shared.id, other)
    with pytest.raises(Problem, match="not-yours"):
        store.delete(shared.id, other)


@pytest.mark.parametrize(
    ("host", "require", "insecure", "message"),
    [
        ("0.0.0.0", False, False, "--require-key"),
        ("10.1.2.3", True, False, "keys add"),
        ("::", False, False, "--in"),
    ],
)
def test_it_is_not_open_by_mistake(host: str, require: bool, insecure: bool, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        checked_settings(host, "", require, insecure, (), 24)


def test_open_on_purpose_is_not_open_to_admin() -> None:
    assert checked_settings("127.0.0.1", "", False, False, (), 24).open_admin is True
    assert checked_settings("0.0.0.0", "", False, True, (), 24).open_admin is False
