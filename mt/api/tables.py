"""The tables of the server's state, as SQLAlchemy and Alembic know them.

No table holds the text of a segment: glossaries are the client's terms, documents lie in files until their
time is over, and the audit log counts characters.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, Float, Integer, MetaData, String, Table, Text

metadata = MetaData()

api_keys = Table(
    "api_keys",
    metadata,
    Column("id", String(16), primary_key=True),
    Column("name", String(100), nullable=False),
    Column("salt", String(64), nullable=False),
    Column("hash", String(64), nullable=False),
    Column("scopes", String(200), nullable=False),
    Column("created", Float, nullable=False),
    Column("expires", Float),
    Column("revoked", Float),
    Column("requests_per_minute", Integer),
    Column("characters_per_month", BigInteger),
)
api_usage = Table(
    "api_usage",
    metadata,
    Column("key_id", String(16), primary_key=True),
    Column("month", String(7), primary_key=True),
    Column("characters", BigInteger, nullable=False),
)
api_glossaries = Table(
    "api_glossaries",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("name", String(1024), nullable=False),
    Column("owner", String(16), nullable=False, index=True),
    Column("shared", Boolean, nullable=False),
    Column("created", Float, nullable=False),
    Column("version", Integer, nullable=False),
)
api_dictionaries = Table(
    "api_dictionaries",
    metadata,
    Column("glossary_id", String(36), primary_key=True),
    Column("source", String(20), primary_key=True),
    Column("target", String(20), primary_key=True),
    Column("terms", Text, nullable=False),
    Column("count", Integer, nullable=False),
)
api_documents = Table(
    "api_documents",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("key", String(64), nullable=False),
    Column("owner", String(16), nullable=False, index=True),
    Column("state", String(10), nullable=False, index=True),
    Column("suffix", String(10), nullable=False),
    Column("request", Text, nullable=False),
    Column("created", Float, nullable=False),
    Column("finished", Float),
    Column("attempts", Integer, nullable=False),
    Column("characters", BigInteger, nullable=False),
    Column("reason", String(300), nullable=False),
)
api_audit = Table(
    "api_audit",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("time", String(32), nullable=False),
    Column("key_id", String(16), nullable=False),
    Column("action", String(40), nullable=False),
    Column("characters", BigInteger, nullable=False),
    Column("model", String(100), nullable=False),
    Column("glossary", String(400), nullable=False),
    Column("findings", Integer, nullable=False),
    Column("previous", String(64), nullable=False),
    Column("hash", String(64), nullable=False),
)
