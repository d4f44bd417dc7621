"""The engine as `terminology` wants a model: drafts with attention, forced beginnings, scores by piece.

    decoder = EngineDecoder(Engine(find_model("en", "pt")))
    decoder.drafts(["Hold metoprolol."], prefixes=[["▁Suspender"]], attention=True)[0][0].text

It satisfies the protocol `terminology.decoding.Decoder` by its shape; neither package imports the other.
"""

from __future__ import annotations

from collections.abc import Sequence

from data.segments import Span
from mt.config import DecodeConfig
from mt.engine import Candidate, Engine
from mt.tokenization import piece_spans


class EngineDecoder:
    def __init__(self, engine: Engine) -> None:
        self.engine = engine

    def drafts(
        self,
        sentences: Sequence[str],
        count: int = 1,
        prefixes: Sequence[Sequence[str] | None] | None = None,
        attention: bool = False,
    ) -> list[tuple[Candidate, ...]]:
        return self.engine.candidates(sentences, DecodeConfig(n_best=count), prefixes, attention)

    def beginning_scores(
        self, sentences: Sequence[str], beginnings: Sequence[Sequence[str]]
    ) -> list[list[float]]:
        return self.engine.piece_scores(sentences, beginnings)

    def score(self, sentences: Sequence[str], translations: Sequence[str]) -> list[float]:
        return self.engine.score(sentences, translations)

    def fits(self, sentences: Sequence[str]) -> list[bool]:
        return self.engine.fits(sentences)

    def source_spans(self, sentence: str) -> list[Span]:
        """A span for each column of the attention; a language token in front has an empty one."""
        tokenizer = self.engine.tokenizer
        spans = piece_spans(tokenizer.source, sentence)
        return [Span(0, 0), *spans] if tokenizer.language_token else spans

    def target_pieces(self, text: str) -> list[str]:
        return self.engine.tokenizer.target_pieces(text)


def decoder_for(source: str, target: str, model: str = "") -> EngineDecoder:
    """The installed model of a pair, for those who work through much text."""
    from mt.models import find_model

    return EngineDecoder(Engine(find_model(source, target, model), language=target))
