"""Attempts: as many as the pipeline's file asks for, for what can pass, and none for what cannot."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from data.errors import ConfigError
from data.llm import BudgetError, ChatError
from flows import steps
from flows.config import Operation, load_pipeline

STARTER = Path(__file__).resolve().parents[2] / "configs" / "starter.en-pt.yaml"


@pytest.mark.parametrize(
    ("operation", "delays"),
    [
        (Operation(), [10.0, 60.0]),
        (Operation(retries=3, retry_seconds=0.5), [0.5, 3.0, 18.0]),
        (Operation(retries=0), 0),
    ],
)
def test_delays_follow_the_configuration(operation: Operation, delays: Any) -> None:
    found = steps.retrying(steps.gather, operation)
    assert (found.retries, found.retry_delay_seconds) == (operation.retries, delays)


class _State:
    def __init__(self, error: Exception) -> None:
        self.error = error

    def result(self, raise_on_failure: bool) -> Exception:
        assert not raise_on_failure
        return self.error


@pytest.mark.parametrize(
    ("error", "again"),
    [
        (ChatError("no answer"), True),
        (ConnectionError("refused"), True),
        (TimeoutError("late"), True),
        (BudgetError("spent"), False),
        (ValueError("wrong"), False),
    ],
)
def test_only_what_can_pass_is_tried_again(error: Exception, again: bool) -> None:
    stage: Any = steps.generate
    assert steps.can_pass(stage, stage, _State(error)) is again  # type: ignore[arg-type]


def test_both_stages_that_wait_for_others_take_the_pipelines_own(monkeypatch: pytest.MonkeyPatch) -> None:
    taken: list[tuple[str, int]] = []

    def taking(stage: Any, operation: Operation) -> Any:
        taken.append((stage.name, operation.retries))
        return lambda *_: None

    monkeypatch.setattr(steps, "retrying", taking)
    run: Any = type("Run", (), {"pipeline": type("P", (), {"operation": Operation(retries=7)})})
    steps.generate(run)
    steps.evaluate(run, "1", None)
    assert taken == [("generate", 7), ("evaluate", 7)]


def test_limits_by_tag_are_for_a_server_that_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    address = "http://127.0.0.1:4200/api"
    monkeypatch.setenv("PREFECT_API_URL", address)
    assert steps.limited(steps.gather, "llm").tags == {"llm"}
    monkeypatch.setenv("MEDLOOP_EMBEDDED_SERVER", address)
    assert steps.limited(steps.gather, "llm").tags == set()
    monkeypatch.setenv("PREFECT_API_URL", "http://prefect:4200/api")  # a run that is served by another
    assert steps.limited(steps.gather, "llm").tags == {"llm"}


def test_a_launcher_is_a_list_of_words(tmp_path: Path) -> None:
    text, path = STARTER.read_text(encoding="utf-8"), tmp_path / "one.yaml"
    path.write_text(f"{text}\noperation: {{launcher: [torchrun, -v]}}\n", encoding="utf-8")
    assert load_pipeline(path).operation.launcher == ("torchrun", "-v")
    assert load_pipeline(STARTER).operation.launcher == ()
    path.write_text(f"{text}\noperation: {{launcher: torchrun}}\n", encoding="utf-8")
    with pytest.raises(ConfigError, match=r"operation\.launcher: input should be a valid tuple"):
        load_pipeline(path)
