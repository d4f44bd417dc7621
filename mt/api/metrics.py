"""Counts for Prometheus; labels are routes, models and numbers, never anything of a text.

>>> Metrics().text().startswith("# HELP medloop_requests_total")
True
"""

from __future__ import annotations

from collections.abc import Mapping

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from mt.batching import BatcherState


class Metrics:
    def __init__(self) -> None:
        registry = self._registry = CollectorRegistry()
        self._requests = Counter("medloop_requests", "Requests", ("route", "status"), registry=registry)
        self._seconds = Histogram(
            "medloop_request_seconds", "Seconds a request took", ("route",), registry=registry
        )
        self._characters = Counter(
            "medloop_characters", "Characters translated", ("model",), registry=registry
        )
        self._findings = Counter("medloop_findings", "Safety findings", ("model",), registry=registry)
        self._waiting = Gauge(
            "medloop_sentences_waiting", "Sentences in the queue", ("engine",), registry=registry
        )
        self._done = Gauge("medloop_sentences_done", "Sentences translated", ("engine",), registry=registry)
        self._batches = Gauge("medloop_batches_done", "Batches translated", ("engine",), registry=registry)
        self._documents = Gauge(
            "medloop_documents_waiting", "Documents queued or under way", registry=registry
        )

    def answered(self, route: str, status: int, seconds: float) -> None:
        self._requests.labels(route, str(status)).inc()
        self._seconds.labels(route).observe(seconds)

    def translated(self, model: str, characters: int, findings: int) -> None:
        self._characters.labels(model).inc(characters)
        self._findings.labels(model).inc(findings)

    def text(self, states: Mapping[str, BatcherState] | None = None, documents: int = 0) -> str:
        for name, state in (states or {}).items():
            self._waiting.labels(name).set(state.waiting)
            self._done.labels(name).set(state.sentences_done)
            self._batches.labels(name).set(state.batches_done)
        self._documents.set(documents)
        return generate_latest(self._registry).decode()
