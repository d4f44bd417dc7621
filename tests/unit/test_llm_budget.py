"""The budget: planned, counted, and a stop that loses nothing."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from data.llm import BudgetError, ChatError, Message, Reply
from data.llm_budget import Budget, BudgetedChat, Limits, Price, Usage, estimate
from data.llm_many import complete_many


class Counting:
    name = "counting"

    def __init__(self, fails: bool = False) -> None:
        self.calls, self.fails = 0, fails

    def complete(self, messages: Sequence[Message], *, as_json: bool = False) -> Reply:
        self.calls += 1
        if self.fails:
            raise ChatError("down")
        return Reply("Sim.", prompt_tokens=1000, reply_tokens=100)


ASKED = [Message("user", "x" * 30)]


def test_an_estimate_by_hand() -> None:
    plan = estimate([ASKED, ASKED], reply_tokens=100, price=Price(prompt=1.0, reply=10.0))
    assert plan == Usage(2, 28, 200, (28 * 1.0 + 200 * 10.0) / 1e6)


@pytest.mark.parametrize(
    ("limits", "calls"),
    [
        (Limits(calls=3), 3),
        (Limits(tokens=3600), 3),  # 1,100 each; a call holds back 14 + 300
        (Limits(money=0.0075), 3),  # 0.002 each; a call holds back 0.003
        (Limits(), 20),
    ],
)
def test_the_stop_is_hard_and_keeps_what_was_had(limits: Limits, calls: int) -> None:
    model = Counting()
    budget = Budget(limits, Price(prompt=1.0, reply=10.0), reply_tokens=300)
    found = complete_many(BudgetedChat(model, budget), [ASKED] * 20, concurrency=1)
    assert [isinstance(one, Reply) for one in found] == [True] * calls + [False] * (20 - calls)
    assert all(isinstance(one, BudgetError) for one in found[calls:])
    assert model.calls == calls
    assert budget.used.calls == calls
    assert budget.used.tokens == 1100 * calls


def test_calls_at_once_do_not_pass_together() -> None:
    model = Counting()
    found = complete_many(BudgetedChat(model, Budget(Limits(calls=5))), [ASKED] * 40, concurrency=16)
    assert sum(isinstance(one, Reply) for one in found) == model.calls == 5


def test_a_call_that_failed_counts_and_frees_what_it_held() -> None:
    budget = Budget(Limits(calls=2, tokens=600), reply_tokens=500)
    chat = BudgetedChat(Counting(fails=True), budget)
    for _ in range(2):
        with pytest.raises(ChatError, match=r"^down$"):
            chat.complete(ASKED)
    assert budget.used == Usage(calls=2)
    with pytest.raises(BudgetError, match=r"calls: 3 planned, 2 allowed; what was had so far is kept"):
        chat.complete(ASKED)


def test_a_plan_that_does_not_fit_says_so_before_the_run() -> None:
    budget = Budget(Limits(money=5), Price(0.15, 0.60), used=Usage(money=1))
    plan = estimate([ASKED] * 10_000, reply_tokens=1000, price=budget.price)
    assert budget.shortfall(plan) == "money: 7.02 planned, 5.00 allowed"
    assert budget.shortfall(Usage(calls=10, money=3.9)) == ""
