"""Whatever the OpenAPI document allows, and much that it forbids: no answer is a server's error."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from starlette.testclient import TestClient

from mt.api.app import create_app
from mt.api.settings import ApiSettings
from tests.fake_engine import Fakes

EXAMPLES = int(os.environ.get("SCHEMATHESIS_EXAMPLES", "12"))


@pytest.fixture(scope="module")
def described(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    folder = tmp_path_factory.mktemp("fuzz")
    app = create_app(ApiSettings(f"sqlite:///{folder / 'state.db'}", folder / "documents"), Fakes().source())

    async def running(scope: Any, receive: Any, send: Any) -> None:
        """Already begun: the client that schemathesis makes for each request would begin it again."""
        if scope["type"] == "lifespan":
            for kind in ("startup", "shutdown"):
                await receive()
                await send({"type": f"lifespan.{kind}.complete"})
        else:
            await app(scope, receive, send)

    with TestClient(app):
        yield schemathesis.openapi.from_asgi("/v1/openapi.json", running)


def test_no_input_is_a_bug_of_the_server(described: Any) -> None:
    operations = [found.ok() for found in described.get_all_operations()]
    assert len(operations) > 15
    for operation in operations:
        _fuzz(operation)


def _fuzz(operation: Any) -> None:
    @given(case=operation.as_strategy())
    @settings(
        max_examples=EXAMPLES, deadline=None, derandomize=True, database=None,
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    def check(case: Any) -> None:
        answer = case.call()
        assert answer.status_code < 500, (answer.status_code, operation.label)
        if answer.status_code >= 400 and answer.status_code != 405:
            assert answer.headers["content-type"] == ["application/problem+json"], operation.label

    check()
