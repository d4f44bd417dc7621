"""A small language model that runs here: SmolLM2-135M-Instruct, as CTranslate2 int8, with nothing to compile.

In: prompts. Out: what the model writes on, in batches, until the end of the line; or a reply to a chat.

    python -m data.embedded                          # once: fetches the weights (93 MB) and converts them
    chat = EmbeddedChat()
    chat.continue_many(["Term: fever | Sentence: The fever subsided.\\nTerm: cough | Sentence:"])
    # ["She has had a dry cough for three days."]

It is weak. It writes short English sentences after a few examples; its replies to chat prompts are poor. It
is the same `ChatModel` as a server, so that everything around it runs, and is tested, without one.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from data.embedded_weights import FOLDER_NAME, embedded_folder, prepare
from data.errors import MissingExtraError, ModelError
from data.llm_values import ChatError, ContextError, Message, Reply

CONTEXT_TOKENS: Final = 8192
_TURN = "<|im_start|>{role}\n{content}<|im_end|>\n"
_ENDS = ("<|im_end|>", "<|endoftext|>")
_LEAST_SHARED_TOKENS = 16


@dataclass(frozen=True, slots=True)
class EmbeddedSettings:
    """`temperature` 0 takes the likeliest word each time; `threads` 0 uses all cores."""

    temperature: float = 0.7
    top_k: int = 40
    top_p: float = 0.95
    repetition_penalty: float = 1.05
    most_new_tokens: int = 60
    batch_prompts: int = 32
    seed: int = 12345
    threads: int = 0


class EmbeddedChat:
    """Without its folder it raises a `ModelError` that says the command; it never fetches by itself.

    A new one gives the same texts to the same calls in the same order; CTranslate2 reads a seed only once.
    """

    name = FOLDER_NAME

    def __init__(self, folder: Path | None = None, settings: EmbeddedSettings = EmbeddedSettings()) -> None:
        try:
            import tokenizers
        except ImportError:
            raise MissingExtraError("the embedded language model", "llm") from None
        import ctranslate2

        folder = folder or embedded_folder()
        if not (folder / "model.bin").is_file():
            raise ModelError(f"no embedded model in {folder}; get it with: python -m data.embedded")
        self.settings = settings
        self._tokenizer: Any = tokenizers.Tokenizer.from_file(str(folder / "tokenizer.json"))
        try:
            self._generator: Any = ctranslate2.Generator(
                str(folder), compute_type="int8", intra_threads=settings.threads or (os.cpu_count() or 1)
            )
        except (RuntimeError, ValueError):
            raise ModelError(
                f"{folder} is damaged; delete it and get it again: python -m data.embedded"
            ) from None
        ctranslate2.set_random_seed(settings.seed)
        self._line_ends: dict[str, list[str]] = {}

    @property
    def identity(self) -> Mapping[str, object]:
        return {"name": self.name, **asdict(self.settings)}

    def continue_many(
        self,
        prompts: Sequence[str],
        stop: str = "\n",
        settings: EmbeddedSettings | None = None,
    ) -> list[str]:
        """What follows each prompt, up to `stop`, stripped; in order. The seed is the constructor's."""
        chosen = settings or self.settings
        tokens = [self._tokens(prompt.rstrip(" ")) for prompt in prompts]
        return [text.partition(stop)[0].strip() for text, _, _ in self._generate(tokens, stop, chosen)]

    def complete(self, messages: Sequence[Message], *, as_json: bool = False) -> Reply:
        return self.complete_all([messages])[0]

    def complete_all(self, requests: Sequence[Sequence[Message]]) -> list[Reply]:
        """Many chats as batches; `complete_many` uses it."""
        prompts = [self._tokens(_chat_prompt(messages)) for messages in requests]
        found = self._generate(prompts, "", self.settings)
        return [
            Reply(text.strip(), self.name, "stop" if ended else "length", len(prompt), count)
            for prompt, (text, count, ended) in zip(prompts, found, strict=True)
        ]

    def count(self, text: str) -> int:
        """Tokens of this model."""
        return len(self._tokens(text))

    def _generate(
        self, prompts: list[list[str]], stop: str, settings: EmbeddedSettings
    ) -> list[tuple[str, int, bool]]:
        """Per prompt: the text, its tokens, and whether it came to an end by itself."""
        if not prompts:
            return []
        for prompt in prompts:
            if len(prompt) + settings.most_new_tokens > CONTEXT_TOKENS:
                raise ContextError(self.name, CONTEXT_TOKENS)
        shared = _shared(prompts)
        ends = [*_ENDS, *self._ends(stop)]
        try:
            results = self._generator.generate_batch(
                [prompt[len(shared) :] for prompt in prompts],
                static_prompt=shared or None,
                cache_static_prompt=bool(shared),
                max_batch_size=settings.batch_prompts,
                max_length=settings.most_new_tokens,
                include_prompt_in_result=False,
                return_end_token=True,
                end_token=ends,
                sampling_topk=settings.top_k if settings.temperature > 0 else 1,
                sampling_topp=settings.top_p if settings.temperature > 0 else 1,
                sampling_temperature=settings.temperature or 1,
                repetition_penalty=settings.repetition_penalty,
            )
        except RuntimeError as error:  # such as out of memory
            raise ChatError(f"{self.name}: no reply ({error})") from None
        return [self._read(result.sequences_ids[0], result.sequences[0], ends) for result in results]

    def _read(self, ids: list[int], tokens: list[str], ends: Sequence[str]) -> tuple[str, int, bool]:
        ended = bool(tokens) and tokens[-1] in ends
        return self._tokenizer.decode(ids, skip_special_tokens=True), len(ids), ended

    def _tokens(self, text: str) -> list[str]:
        encoded: list[str] = self._tokenizer.encode(text, add_special_tokens=False).tokens
        return encoded

    def _ends(self, stop: str) -> list[str]:
        """Every token that holds `stop`, for one may hold what comes before the line's end as well."""
        if stop not in self._line_ends:
            spelt = "".join(self._tokens(stop))
            tokens = self._tokenizer.get_vocab() if stop else ()
            self._line_ends[stop] = [token for token in tokens if spelt in token]
        return self._line_ends[stop]


def _chat_prompt(messages: Sequence[Message]) -> str:
    turns = "".join(_TURN.format(role=message.role, content=message.content) for message in messages)
    return f"{turns}<|im_start|>assistant\n"


def _shared(prompts: list[list[str]]) -> list[str]:
    """The beginning that all prompts share is read once; each keeps a token of its own at least."""
    first, last = min(prompts), max(prompts)
    limit = min(len(prompt) for prompt in prompts) - 1
    count = next((place for place in range(limit) if first[place] != last[place]), max(limit, 0))
    return first[:count] if count >= _LEAST_SHARED_TOKENS and len(prompts) > 1 else []


if __name__ == "__main__":
    from data.errors import MedloopError

    try:
        sys.stdout.write(f"{prepare(Path(sys.argv[1]) if len(sys.argv) > 1 else None)}\n")
    except MedloopError as error:
        sys.exit(f"error: {error}")
