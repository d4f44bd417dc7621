"""Documents through the engine: split, translate, put back together; what both edges, command and API, call.

    service = TranslationService(Engine(find_model("en", "pt")))
    service.translate_text("1. Take 5 mg.\\n\\nRest.")        # "1. Tome 5 mg.\\n\\nDescanse."
    for part in service.translate_chunks(read_chunks(path, ReadOptions("en"))):
        out.write(part.text)

Streams: a few chunks are under way at a time, so memory does not grow with the document.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from data.segments import Hypothesis, Segment, Translation
from mt.config import DecodeConfig
from mt.formats.chunks import Chunk
from mt.layout import parse

Hypotheses = tuple[Hypothesis, ...]


class SentenceTranslator(Protocol):
    """The part of the engine that whole documents need."""

    def translate_stream(
        self, windows: Iterable[Sequence[str]], decode: DecodeConfig = ...
    ) -> Iterator[list[Hypotheses]]: ...


@dataclass(frozen=True, slots=True)
class Part:
    """A translated stretch of the document, and its sentences one by one."""

    text: str
    translations: tuple[Translation, ...]


@dataclass(frozen=True, slots=True)
class _Window:
    """A chunk, its distinct sentences, and which of them stands where."""

    chunk: Chunk
    distinct: list[str]
    places: list[int]


class TranslationService:
    def __init__(self, translator: SentenceTranslator) -> None:
        self._translator = translator

    def translate_text(self, text: str, language: str, decode: DecodeConfig | None = None) -> str:
        return "".join(part.text for part in self.translate_chunks([parse(text, language)], decode))

    def translate_chunks(self, chunks: Iterable[Chunk], decode: DecodeConfig | None = None) -> Iterator[Part]:
        """One part a chunk, in order; sentences are numbered from 1 through the whole document."""
        settings = decode or DecodeConfig()
        waiting: list[_Window] = []

        def windows() -> Iterator[list[str]]:
            for chunk in chunks:
                window = _window(chunk)
                waiting.append(window)
                yield window.distinct

        number = 1
        for found in self._translator.translate_stream(windows(), settings):
            part = _part(waiting.pop(0), found, number)
            number += len(part.translations)
            yield part


def _window(chunk: Chunk) -> _Window:
    """Hospital texts repeat themselves: each distinct sentence is translated once a chunk."""
    numbers: dict[str, int] = {}
    places = [numbers.setdefault(sentence, len(numbers)) for sentence in chunk.sentences]
    return _Window(chunk, list(numbers), places)


def _part(window: _Window, found: list[Hypotheses], first_number: int) -> Part:
    chosen = [found[place] for place in window.places]
    text = window.chunk.render([hypotheses[0].text for hypotheses in chosen])
    translations = tuple(
        Translation(Segment(str(number), sentence), hypotheses[0].text, hypotheses[0].score, hypotheses[1:])
        for number, (sentence, hypotheses) in enumerate(
            zip(window.chunk.sentences, chosen, strict=True), first_number
        )
    )
    return Part(text, translations)
