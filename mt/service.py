"""Documents and lists of sentences through the engine: split, translate, enforce, check, put back together.

Both edges, command and API, call it and hand in what they want done:

    service = TranslationService(Engine(find_model("en", "pt")), enforcer, clinical_checker("en", "pt"))
    service.translate_text("1. Take 5 mg.\\n\\nRest.", "en")     # "1. Tome 5 mg.\\n\\nDescanse."
    service.translate_segments([Segment("s1", "Take 5 mg.")])[0].needs_review
    for part in service.translate_chunks(read_chunks(path, ReadOptions("en"))):
        out.write(part.text)

Streams: a few chunks are under way at a time, so memory does not grow with the document. One service serves
many threads; what belongs to one document (which word its terms have got) is made anew for each call.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, MutableMapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol

from data.segments import Hypothesis, Segment, Translation
from data.term_records import Enforced
from mt.config import DecodeConfig
from mt.formats.chunks import Chunk
from mt.layout import parse
from mt.results import Part, SegmentResult, plain, record, summary

if TYPE_CHECKING:
    from data.checks.drugs import NameTable
    from data.checks.findings import Finding
    from mt.typography import Typography

__all__ = [
    "Checker",
    "Enforcer",
    "Part",
    "SegmentResult",
    "SentenceTranslator",
    "TranslationService",
    "clinical_checker",
    "record",
    "summary",
]

Hypotheses = tuple[Hypothesis, ...]
# Source and target in, what is clinically doubtful out.
Checker = Callable[[str, str], "tuple[Finding, ...]"]
_SEGMENTS_A_WINDOW = 256


class SentenceTranslator(Protocol):
    """The part of the engine that whole documents need."""

    def translate_stream(
        self, windows: Iterable[Sequence[str]], decode: DecodeConfig = ...
    ) -> Iterator[list[Hypotheses]]: ...


class Enforcer(Protocol):
    """Makes translations use required terms; `terminology.enforcement` has one, and the edges hand it in.

    `wordings` is what the document has called each term so far; the same mapping comes with each call for
    one document, so that a term keeps its word. `drafts` are the translations as the engine made them, with
    pieces and attention where it has them. Results are in the order of the translations.
    """

    def enforce(
        self,
        translations: Sequence[Translation],
        wordings: MutableMapping[str, str] | None = None,
        drafts: Sequence[Hypothesis] = (),
    ) -> Sequence[Enforced]: ...


@dataclass(frozen=True, slots=True)
class _Window:
    """A chunk, its distinct sentences, and which of them stands where."""

    chunk: Chunk
    distinct: list[str]
    places: list[int]


class TranslationService:
    def __init__(
        self,
        translator: SentenceTranslator,
        enforcer: Enforcer | None = None,
        checker: Checker | None = None,
        typography: Typography | None = None,
    ) -> None:
        self._translator, self._enforcer, self._checker = translator, enforcer, checker
        self._typography = typography

    def translate_text(self, text: str, language: str, decode: DecodeConfig | None = None) -> str:
        return self.translate_document(text, language, decode).text

    def translate_document(self, text: str, language: str, decode: DecodeConfig | None = None) -> Part:
        """A text in memory, whole, with its segments."""
        (part,) = self.translate_chunks([parse(text, language)], decode)
        return part

    def translate_segments(
        self, segments: Sequence[Segment], decode: DecodeConfig | None = None
    ) -> list[SegmentResult]:
        """A list of sentences as it is: no splitting, own ids; the list is one document to its terms."""
        starts = range(0, len(segments), _SEGMENTS_A_WINDOW)
        chunks = [_Listed(segments[start : start + _SEGMENTS_A_WINDOW]) for start in starts]
        results = [one for part in self.translate_chunks(chunks, decode) for one in part.segments]
        return [
            replace(one, translation=replace(one.translation, source=segment))
            for one, segment in zip(results, segments, strict=True)
        ]

    def translate_chunks(self, chunks: Iterable[Chunk], decode: DecodeConfig | None = None) -> Iterator[Part]:
        """One part a chunk, in order; sentences are numbered from 1 through the whole document."""
        settings = decode or DecodeConfig()
        if self._enforcer is not None:
            settings = replace(settings, attention=True)  # free in passing, dear afterwards
        wordings: dict[str, str] = {}
        waiting: list[_Window] = []

        def windows() -> Iterator[list[str]]:
            for chunk in chunks:
                window = _window(chunk)
                waiting.append(window)
                yield self._readable(window.distinct)

        number = 1
        for found in self._translator.translate_stream(windows(), settings):
            window = waiting.pop(0)
            part = _part(window, self._results(window.distinct, found, wordings), number)
            number += len(part.segments)
            yield part

    def _results(
        self, sentences: list[str], found: Sequence[Hypotheses], wordings: MutableMapping[str, str]
    ) -> list[SegmentResult]:
        """Enforced first, then checked: what is checked is what will be read."""
        translations = [
            plain(Segment(str(number), sentence), hypotheses)
            for number, (sentence, hypotheses) in enumerate(
                zip(self._readable(sentences), found, strict=True)
            )
        ]
        if self._enforcer is None:
            results = [SegmentResult(translation) for translation in translations]
        else:
            drafts = [hypotheses[0] for hypotheses in found]
            enforced = self._enforcer.enforce(translations, wordings, drafts)
            results = [SegmentResult(one.translation, one.terms) for one in enforced]
        if self._typography is not None:
            results = [
                replace(result, translation=_as_written(result.translation, sentence, self._typography))
                for result, sentence in zip(results, sentences, strict=True)
            ]
        return [self._checked(result) for result in results] if self._checker else results

    def _readable(self, sentences: list[str]) -> list[str]:
        """As the model should see them; terms are enforced on the same."""
        if self._typography is None:
            return sentences
        return [self._typography.plain(sentence) for sentence in sentences]

    def _checked(self, result: SegmentResult) -> SegmentResult:
        if self._checker is None:
            return result
        return replace(
            result, findings=self._checker(result.translation.source.text, result.translation.target)
        )


def clinical_checker(source_language: str, target_language: str, names: NameTable | None = None) -> Checker:
    """The clinical safety checks for one pair of languages; `names` are the client's own for medicines."""
    from data.clinical import check_pair

    def check(source: str, target: str) -> tuple[Finding, ...]:
        return check_pair(source, target, source_language, target_language, names=names)

    return check


@dataclass(frozen=True, slots=True)
class _Listed:
    """Segments that belong to no text."""

    segments: Sequence[Segment]

    @property
    def sentences(self) -> Sequence[str]:
        return [segment.text for segment in self.segments]

    def render(self, translations: Sequence[str]) -> str:
        return "\n".join(translations)


def _window(chunk: Chunk) -> _Window:
    """Hospital texts repeat themselves: each distinct sentence is translated once a chunk."""
    numbers: dict[str, int] = {}
    places = [numbers.setdefault(sentence, len(numbers)) for sentence in chunk.sentences]
    return _Window(chunk, list(numbers), places)


def _part(window: _Window, results: list[SegmentResult], first_number: int) -> Part:
    chosen = [results[place] for place in window.places]
    text = window.chunk.render([result.translation.target for result in chosen])
    numbered = tuple(
        SegmentResult(_numbered(result.translation, number), result.terms, result.findings)
        for number, result in enumerate(chosen, first_number)
    )
    return Part(text, numbered)


def _as_written(one: Translation, sentence: str, typography: Typography) -> Translation:
    """In the capitals, quotes and signs of the sentence itself."""
    alternatives = tuple(
        replace(other, text=typography.restored(other.text, sentence)) for other in one.alternatives
    )
    source = replace(one.source, text=sentence)
    target = typography.restored(one.target, sentence)
    return replace(one, source=source, target=target, alternatives=alternatives)


def _numbered(one: Translation, number: int) -> Translation:
    return Translation(Segment(str(number), one.source.text), one.target, one.score, one.alternatives)
