"""Documents to translate in the background: they outlive the request, and the server's sudden end.

    jobs.submit(upload, ".txt", request, key) -> (id, document key)
    jobs.state(id, key).state                           # queued, running, done or failed
    jobs.result(id, key)                                # Path

An upload lies in a file until its time is over. What was under way when the server died is begun again, at
most three times; then it has failed, with a reason. One server works on a folder of documents.
"""

from __future__ import annotations

import hmac
import json
import logging
import secrets
import threading
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from shutil import rmtree
from typing import Any

from sqlalchemy import Engine, delete, func, insert, select, update
from sqlalchemy.exc import OperationalError

from data.errors import InputError, MedloopError
from data.files import atomic_write
from mt.alignment import EngineAligner
from mt.api.audit import Audit, Entry
from mt.api.database import writing
from mt.api.keys import Key
from mt.api.problems import Problem
from mt.api.tables import api_documents as table
from mt.api.translating import Desk, Order
from mt.batching import Batcher
from mt.documents import FORMATS, read_chunks
from mt.formats.chunks import Chunk, ReadOptions
from mt.markup import MarkupChunk

log = logging.getLogger(__name__)
MARKUP = {".html": "html", ".htm": "html", ".xml": "xml", ".xhtml": "xml"}
SUFFIXES = (*sorted(FORMATS), *MARKUP)
_ATTEMPTS = 3
_CLEAN_SECONDS = 60.0
_RETRY_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class DocumentRequest:
    source: str
    target: str
    model: str = ""
    glossaries: tuple[str, ...] = ()
    check: bool = True


@dataclass(frozen=True, slots=True)
class Document:
    id: str
    key: str
    owner: str
    state: str
    suffix: str
    created: float
    finished: float | None
    characters: int
    reason: str


class Jobs:
    def __init__(
        self, engine: Engine, desk: Desk, folder: Path, keep_seconds: float, most_waiting: int
    ) -> None:
        self._engine, self._desk, self._folder = engine, desk, folder
        self._keep, self._most = keep_seconds, most_waiting
        self._audit = Audit(engine)
        self._wake, self._stop = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._work, name="medloop-documents", daemon=True)

    def start(self) -> None:
        """Takes up what the last server left undone."""
        again = update(table).where(table.c.state == "running")
        with writing(self._engine) as connection:
            connection.execute(
                again.where(table.c.attempts >= _ATTEMPTS).values(
                    state="failed", finished=time.time(), reason=f"the server ended {_ATTEMPTS} times at it"
                )
            )
            connection.execute(again.values(state="queued"))
        self._thread.start()

    def close(self, timeout_seconds: float) -> None:
        self._stop.set()
        self._wake.set()
        if self._thread.is_alive():
            self._thread.join(timeout_seconds)

    def submit(self, upload: bytes, suffix: str, request: DocumentRequest, key: Key) -> tuple[str, str]:
        suffix = suffix.lower()
        if suffix not in SUFFIXES:
            raise Problem(415, "document-format", f"no such document format; valid: {', '.join(SUFFIXES)}")
        if not upload.strip():
            raise Problem(400, "empty-document", "the document is empty")
        wanted = Order(("",), request.source, request.target, request.model, request.glossaries)
        self._desk.prepare(wanted, key)
        with self._engine.connect() as connection:
            waiting = select(func.count()).select_from(table).where(table.c.state.in_(("queued", "running")))
            if (connection.execute(waiting).scalar() or 0) >= self._most:
                raise Problem(429, "busy", "too many documents are waiting; try again later", 30)
        document_id, document_key = secrets.token_hex(16), secrets.token_hex(32)
        place = self._folder / document_id
        try:
            place.mkdir(parents=True, mode=0o700)
            (place / f"upload{suffix}").write_bytes(upload)
        except OSError:
            rmtree(place, ignore_errors=True)
            raise Problem(507, "disk", "the document cannot be stored at the moment", 60) from None
        row = {
            "id": document_id, "key": document_key, "owner": key.id, "state": "queued", "suffix": suffix,
            "request": json.dumps(asdict(request) | {"key": asdict(key)}), "created": time.time(),
            "attempts": 0, "characters": 0, "reason": "",
        }  # fmt: skip
        try:
            with writing(self._engine) as connection:
                connection.execute(insert(table).values(**row))
        except Exception:
            rmtree(place, ignore_errors=True)
            raise
        self._wake.set()
        return document_id, document_key

    def state(self, document_id: str, key: Key) -> Document:
        columns = [table.c[name] for name in Document.__slots__]
        with self._engine.connect() as connection:
            row = connection.execute(select(*columns).where(table.c.id == document_id)).first()
        if row is None or (row.owner != key.id and not key.may("admin")):
            raise Problem(404, "document-unknown", "no document of this id")
        return Document(**row._mapping)

    def result(self, document_id: str, key: Key) -> Path:
        document = self.state(document_id, key)
        if document.state != "done":
            raise Problem(409, "document-not-done", f"the document is {document.state}")
        return self._folder / document_id / f"result{document.suffix}"

    def state_for(self, document_id: str, document_key: str) -> Document:
        """For whoever holds the document's own key."""
        document = self.state(document_id, Key("", "", ("admin",)))
        if not hmac.compare_digest(document.key.encode(), document_key.encode("utf-8", "replace")):
            raise Problem(404, "document-unknown", "no document of this id")
        return document

    def result_for(self, document_id: str, document_key: str) -> Path:
        self.state_for(document_id, document_key)
        return self.result(document_id, Key("", "", ("admin",)))

    def delete(self, document_id: str, key: Key) -> None:
        self.state(document_id, key)
        self._forget(document_id)

    def waiting(self) -> int:
        query = select(func.count()).select_from(table).where(table.c.state.in_(("queued", "running")))
        with self._engine.connect() as connection:
            return int(connection.execute(query).scalar() or 0)

    def clean(self, now: float | None = None) -> None:
        """Uploads and results go when their time is over, and whatever no document knows."""
        before = (time.time() if now is None else now) - self._keep
        over = select(table.c.id).where(table.c.finished.is_not(None), table.c.finished < before)
        with self._engine.connect() as connection:
            gone = [row.id for row in connection.execute(over)]
            known = {row.id for row in connection.execute(select(table.c.id))}
        for document_id in gone:
            self._forget(document_id)
        for place in self._folder.iterdir() if self._folder.is_dir() else ():
            if place.name not in known and place.stat().st_mtime < before:
                rmtree(place, ignore_errors=True)

    def _forget(self, document_id: str) -> None:
        with writing(self._engine) as connection:
            connection.execute(delete(table).where(table.c.id == document_id))
        rmtree(self._folder / document_id, ignore_errors=True)

    def _work(self) -> None:
        cleaned = 0.0
        while not self._stop.is_set():
            try:
                if time.monotonic() - cleaned > _CLEAN_SECONDS or not cleaned:
                    self.clean()
                    cleaned = time.monotonic()
                if self._next():
                    continue
                seconds = _CLEAN_SECONDS
            except Exception as error:  # a locked database or a full disk: the thread must go on
                log.warning("documents: %s", type(error).__name__)
                seconds = _RETRY_SECONDS
            self._wake.wait(seconds)
            self._wake.clear()

    def _next(self) -> bool:
        with writing(self._engine) as connection:
            first = select(table).where(table.c.state == "queued").order_by(table.c.created).limit(1)
            row = connection.execute(first).first()
            if row is None:
                return False
            taken = {"state": "running", "attempts": row.attempts + 1}
            connection.execute(update(table).where(table.c.id == row.id).values(taken))
        try:
            characters = self._translate(row.id, row.suffix, json.loads(row.request))
            ending = {"state": "done", "characters": characters, "reason": ""}
        except (MedloopError, Problem, OSError) as error:
            ending = {"state": "failed", "reason": _reason(error)}
        except Exception as error:
            log.warning("document %s: %s", row.id, type(error).__name__)
            ending = {"state": "failed", "reason": "an error of the server's, noted in its log"}
        if self._stop.is_set() and ending["state"] == "failed":
            return True  # the next server begins it again
        self._end(row.id, ending | {"finished": time.time()})
        return True

    def _end(self, document_id: str, values: dict[str, Any]) -> None:
        """However long the database is locked: nobody else would end a document that is under way."""
        while True:
            try:
                with writing(self._engine) as connection:
                    connection.execute(update(table).where(table.c.id == document_id).values(values))
                return
            except OperationalError as error:
                log.warning("document %s: %s", document_id, type(error).__name__)
                if self._stop.wait(_RETRY_SECONDS):
                    return

    def _translate(self, document_id: str, suffix: str, request: dict[str, Any]) -> int:
        stored = request.pop("key")
        key = Key(**stored | {"scopes": tuple(stored["scopes"])})
        wanted = DocumentRequest(**request)
        place = self._folder / document_id
        upload = place / f"upload{suffix}"
        order = Order(
            (_beginning(upload),), wanted.source, wanted.target, wanted.model, tuple(wanted.glossaries),
            check=wanted.check,
        )  # fmt: skip
        prepared = self._desk.prepare(order, key)
        counts = Counts()
        with prepared.batcher.request() as turn:
            chunks = _counted(self._chunks(upload, suffix, prepared.pair[0], prepared.batcher), counts)
            with atomic_write(place / f"result{suffix}") as stream:
                for part in self._desk.service(order, prepared).translate_chunks(chunks):
                    stream.write(part.text)
                    counts.findings += sum(len(one.findings or ()) for one in part.segments)
            model = turn.engine.model.name
        self._audit.write(
            Entry(key.id, "document", counts.characters, model, prepared.version, counts.findings)
        )
        return counts.characters

    def _chunks(self, upload: Path, suffix: str, language: str, batcher: Batcher) -> Iterator[Chunk]:
        if suffix not in MARKUP:
            yield from read_chunks(upload, ReadOptions(language))
            return
        text = upload.read_bytes().decode("utf-8-sig", "replace")
        yield MarkupChunk.of(text, MARKUP[suffix], language, EngineAligner(batcher))


@dataclass(slots=True)
class Counts:
    characters: int = 0
    findings: int = 0


def _counted(chunks: Iterator[Chunk], counts: Counts) -> Iterator[Chunk]:
    for chunk in chunks:
        counts.characters += sum(map(len, chunk.sentences))
        yield chunk


def _beginning(upload: Path) -> str:
    """Enough to tell the language by."""
    with upload.open("rb") as stream:
        return stream.read(8000).decode("utf-8", "replace")


def _reason(error: Exception) -> str:
    if isinstance(error, Problem):
        return error.detail
    if isinstance(error, InputError):
        return "the document cannot be read as what its name says"
    return "the disk is full or not readable" if isinstance(error, OSError) else type(error).__name__
