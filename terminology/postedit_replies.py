"""What an LLM is asked to send back for segments that miss terms: one slot each, with candidates.

In: a chat model and the messages. Out: candidates by the slot's id, or `AnswerError` where twice nothing of
the kind came.

    replies(chat, messages)          # {"1": ["Suspenda metoprolol."], "2": []}

Apart from `terminology.postedit`, for pydantic is there only where an LLM is.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from pydantic import BaseModel, ConfigDict

from data.llm_asking import ask
from data.llm_values import ChatModel, Message

_SPACES = re.compile(r"\s+")


class _Slot(BaseModel):
    model_config = ConfigDict(coerce_numbers_to_str=True)  # small models write the id as a number
    id: str
    translations: list[str]


class _Slots(BaseModel):
    segments: list[_Slot]


def replies(model: ChatModel, messages: Sequence[Message]) -> dict[str, list[str]]:
    """Candidates without their line breaks; empty ones are none."""
    answer = ask(model, messages, _Slots)
    return {
        slot.id: [tidy for text in slot.translations if (tidy := _SPACES.sub(" ", text).strip())]
        for slot in answer.segments
    }
