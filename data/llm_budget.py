"""What a run may cost: calls, tokens and money, planned before, counted during, and a hard stop.

In: limits and prices. Out: a chat model that raises `BudgetError` in place of the call that would go beyond
them.

    budget = Budget(Limits(calls=10_000, money=5.0), Price(prompt=0.15, reply=0.60))    # per million tokens
    plan = estimate([[Message("user", "...")]] * 10_000, reply_tokens=200, price=budget.price)
    budget.shortfall(plan)                            # "money: 6.90 planned, 5.00 allowed", or ""
    chat = CachedChat(BudgetedChat(OpenAIChat("gpt-x"), budget), cache)          # what is cached is free

Nothing is lost at the stop: `complete_many` returns the replies before it, and the errors after it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from data.llm_values import BudgetError, ChatModel, Message, Reply, Shape, complete_as, identity

# English has four letters to a token, other languages and numbers fewer; a plan should rather be too high.
_LETTERS_PER_TOKEN = 3
_TOKENS_PER_MESSAGE = 4


@dataclass(frozen=True, slots=True)
class Price:
    """Money per million tokens, in any one currency."""

    prompt: float = 0
    reply: float = 0

    def of(self, prompt_tokens: float, reply_tokens: float) -> float:
        return (prompt_tokens * self.prompt + reply_tokens * self.reply) / 1e6


@dataclass(frozen=True, slots=True)
class Limits:
    """None: no limit."""

    calls: int | None = None
    tokens: int | None = None
    money: float | None = None


@dataclass(frozen=True, slots=True)
class Usage:
    """Planned, or used."""

    calls: int = 0
    prompt_tokens: int = 0
    reply_tokens: int = 0
    money: float = 0

    @property
    def tokens(self) -> int:
        return self.prompt_tokens + self.reply_tokens

    def plus(self, other: Usage, sign: int = 1) -> Usage:
        return Usage(
            self.calls + sign * other.calls,
            self.prompt_tokens + sign * other.prompt_tokens,
            self.reply_tokens + sign * other.reply_tokens,
            self.money + sign * other.money,
        )


def prompt_tokens(messages: Sequence[Message]) -> int:
    """An estimate, rather too high than too low."""
    letters = sum(len(message.content.encode()) for message in messages)
    return letters // _LETTERS_PER_TOKEN + _TOKENS_PER_MESSAGE * len(messages)


def estimate(requests: Iterable[Sequence[Message]], reply_tokens: int, price: Price = Price()) -> Usage:
    """What the requests come to, each with a reply of so many tokens."""
    counts = [prompt_tokens(messages) for messages in requests]
    asked, answered = sum(counts), reply_tokens * len(counts)
    return Usage(len(counts), asked, answered, price.of(asked, answered))


class Budget:
    """Shared by all models of a run and all their threads; `used` is there at any time.

    A call in flight holds back its prompt and `reply_tokens` more, so that calls at once do not pass together
    where one alone may; only what replies are longer than that can go beyond the limit.
    """

    def __init__(
        self, limits: Limits, price: Price = Price(), reply_tokens: int = 500, used: Usage = Usage()
    ) -> None:
        self.limits, self.price, self._reply_tokens = limits, price, reply_tokens
        self._used, self._held = used, Usage()
        self._lock = threading.Lock()

    @property
    def used(self) -> Usage:
        with self._lock:
            return self._used

    def shortfall(self, plan: Usage) -> str:
        """The first limit that the plan would break on top of what is used; empty where it fits."""
        with self._lock:
            return self._broken(self._used.plus(plan))

    def hold(self, messages: Sequence[Message]) -> Usage:
        plan = estimate([messages], self._reply_tokens, self.price)
        with self._lock:
            broken = self._broken(self._used.plus(self._held).plus(plan))
            if broken:
                raise BudgetError(f"the budget is used up: {broken}; what was had so far is kept")
            self._held = self._held.plus(plan)
        return plan

    def settle(self, held: Usage, reply: Reply | None) -> None:
        """A call without a reply counts, its tokens do not; a server that counts no tokens is estimated."""
        used = Usage(calls=1)
        if reply is not None:
            asked = reply.prompt_tokens or held.prompt_tokens
            answered = reply.reply_tokens or len(reply.text.encode()) // _LETTERS_PER_TOKEN
            used = Usage(1, asked, answered, self.price.of(asked, answered))
        with self._lock:
            self._held = self._held.plus(held, -1)
            self._used = self._used.plus(used)

    def _broken(self, total: Usage) -> str:
        limits = self.limits
        if limits.calls is not None and total.calls > limits.calls:
            return f"calls: {total.calls:,} planned, {limits.calls:,} allowed"
        if limits.tokens is not None and total.tokens > limits.tokens:
            return f"tokens: {total.tokens:,} planned, {limits.tokens:,} allowed"
        if limits.money is not None and total.money > limits.money + 1e-12:
            return f"money: {total.money:,.2f} planned, {limits.money:,.2f} allowed"
        return ""


class BudgetedChat:
    """A chat model that asks the budget first."""

    def __init__(self, model: ChatModel, budget: Budget) -> None:
        self.name, self._model, self.budget = model.name, model, budget

    @property
    def identity(self) -> Mapping[str, object]:
        return identity(self._model)

    def complete(self, messages: Sequence[Message], *, as_json: bool = False) -> Reply:
        return self._counted(messages, lambda: self._model.complete(messages, as_json=as_json))

    def complete_as(self, messages: Sequence[Message], shape: Shape) -> Reply:
        return self._counted(messages, lambda: complete_as(self._model, messages, shape))

    def _counted(self, messages: Sequence[Message], call: Callable[[], Reply]) -> Reply:
        held = self.budget.hold(messages)
        reply: Reply | None = None
        try:
            reply = call()
        finally:
            self.budget.settle(held, reply)
        return reply
