"""What the model looked at while it wrote a translation: from the first decoding, or found out afterwards.

In: translations, and the drafts that they came from where those are at hand. Out: a `Draft` for each; one
without pieces where the model cannot read the sentence whole.

    traced(decoder, [Translation(Segment("1", "Flu season"), "Época de influenza")])[0].attention
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from data.segments import Hypothesis, Translation
from terminology.decoding import Decoder, Draft


@dataclass(frozen=True, slots=True)
class TracedDraft:
    """A translation along which the model was led, or one that it cannot account for: no pieces then."""

    text: str
    score: float
    pieces: tuple[str, ...] = ()
    attention: Sequence[Sequence[float]] = ()


def traced(
    decoder: Decoder, translations: Sequence[Translation], given: Sequence[Hypothesis | None] = ()
) -> list[Draft]:
    """Drafts with attention, in the order of the translations."""
    found: list[Draft | None] = [None] * len(translations)
    for number, hypothesis in enumerate(given):
        if getattr(hypothesis, "attention", ()) and hypothesis.text == translations[number].target:  # type: ignore[union-attr]
            found[number] = hypothesis  # type: ignore[assignment]
    open_ = [number for number, draft in enumerate(found) if draft is None]
    fits = decoder.fits([translations[i].source.text for i in open_]) if open_ else []
    whole = [number for number, fit in zip(open_, fits, strict=True) if fit]
    for number, draft in zip(whole, _decoded([translations[i] for i in whole], decoder), strict=True):
        found[number] = draft
    return [
        draft or TracedDraft(one.target, one.score or 0.0)
        for draft, one in zip(found, translations, strict=True)
    ]


def _decoded(translations: Sequence[Translation], decoder: Decoder) -> list[Draft]:
    """Decoded again, and where that says something else, along the translation."""
    sources = [one.source.text for one in translations]
    found = [drafts[0] for drafts in decoder.drafts(sources, attention=True)] if sources else []
    others = [i for i, draft in enumerate(found) if draft.text != translations[i].target]
    if others:
        texts, targets = [sources[i] for i in others], [translations[i].target for i in others]
        pieces = [decoder.target_pieces(target) for target in targets]
        followed = decoder.drafts(texts, prefixes=pieces, attention=True)
        scores = decoder.score(texts, targets)  # the followed draft counts its pieces as sure
        for number, target, drafts, score in zip(others, targets, followed, scores, strict=True):
            found[number] = TracedDraft(target, score, drafts[0].pieces, drafts[0].attention)
    return found
