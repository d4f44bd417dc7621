"""Makes translations use the termbase's words: cheapest means first, and each result must pass the guard.

In: translations as the engine made them (or segments), a decoder, a matcher. Out: for each the text, what the
check says of it, which step made it, and, where a term is still missing, why.

    enforcer = Enforcer(decoder, TermMatcher([termbase]))
    enforcer.enforce([Translation(Segment("s1", "Hold metoprolol."), "Segure o metoprolol.")])[0].terms.step
    enforcer.translate([Segment("s1", "Hold metoprolol.")])[0].translation.target   # "Suspenda metoprolol."

1. The plain translation has the terms already: nothing to do.
2. Replacing: the words that the model wrote for the source term give way to the required term, in the form
   and behind the determiner that it finds likeliest, if it finds what follows as likely as before.
3. Forced decoding: else the translation is cut there, and the model finishes it behind the term.
4. Re-ranking: else another candidate of the model (n-best) has the term.
5. An LLM, for what still misses a term, where one is configured and allowed (`terminology.postedit`).

Only segments that miss a term are looked at again, so a text that has its terms costs the matching alone.
Counted in plain translations, 2 costs a third for each form, 3 costs one, and 4 costs four: hence this order.
Over a document one term keeps one wording, unless the base admits several (`terminology.wordings`).
"""

from __future__ import annotations

from collections.abc import MutableMapping, Sequence
from dataclasses import replace

from data.segments import Segment, Translation
from data.term_records import Enforced, TermEdit
from terminology.cases import (
    ABSENT,
    TOO_LONG,
    Case,
    Step,
    TermedTranslation,
    record_of,
    result_of,
    version_of,
)
from terminology.checking import TermCheck, check_matches
from terminology.decoding import Decoder, Draft
from terminology.guards import SafetyCheck
from terminology.matching import TermMatch, TermMatcher
from terminology.mending import EnforceConfig, Mender
from terminology.postedit import PostEditor, post_edit
from terminology.wordings import decide, follow

Found = tuple[TermMatch, ...]


class Enforcer:
    """`safety` names what is clinically wrong; `post_editor` is the LLM, where one is allowed."""

    def __init__(
        self,
        decoder: Decoder,
        matcher: TermMatcher,
        config: EnforceConfig = EnforceConfig(),  # noqa: B008
        safety: SafetyCheck | None = None,
        post_editor: PostEditor | None = None,
    ) -> None:
        self.decoder, self.matcher, self.config = decoder, matcher, config
        self.safety, self.post_editor = safety, post_editor
        self.language = matcher.target_language
        self._mender = Mender(decoder, self.language, config, safety)

    def translate(
        self, segments: Sequence[Segment], wordings: MutableMapping[str, str] | None = None
    ) -> list[TermedTranslation]:
        """Plain translations of sentences that the model reads whole, mended where a term is missing."""
        drafts = self.decoder.drafts([segment.text for segment in segments]) if segments else []
        plain = [
            Translation(segment, found[0].text, found[0].score)
            for segment, found in zip(segments, drafts, strict=True)
        ]
        return self.mended(plain, wordings)

    def enforce(
        self, translations: Sequence[Translation], wordings: MutableMapping[str, str] | None = None
    ) -> list[Enforced]:
        """For the service: the translations, mended, each with the record of what was done."""
        return [
            Enforced(result.translation, record_of(result, wordings or {}, self.language))
            for result in self.mended(translations, wordings)
        ]

    def mended(
        self, translations: Sequence[Translation], wordings: MutableMapping[str, str] | None = None
    ) -> list[TermedTranslation]:
        """In the order of the translations; with `wordings`, in the words that the document uses."""
        found = [self.matcher.find(one.source.text) for one in translations]
        if wordings is None:
            return self._mended(translations, found)
        plain = [
            check_matches(matches, one.target, self.language)
            for one, matches in zip(translations, found, strict=True)
        ]
        decide(plain, wordings, self.language)
        results = self._mended(translations, [follow(matches, wordings) for matches in found])
        decide([result.check for result in results], wordings, self.language)
        return self._unified(results, found, wordings)

    def _unified(
        self, results: list[TermedTranslation], found: Sequence[Found], wordings: MutableMapping[str, str]
    ) -> list[TermedTranslation]:
        """A second pass for segments that met a term before the document's word for it was known."""
        narrowed = [follow(matches, wordings) for matches in found]
        late = [
            number
            for number, (result, matches) in enumerate(zip(results, narrowed, strict=True))
            if matches and not check_matches(matches, result.translation.target, self.language).ok
            and result.check.ok
        ]  # fmt: skip
        again = self._mended([results[i].translation for i in late], [narrowed[i] for i in late])
        for number, result in zip(late, again, strict=True):
            results[number] = result.after(results[number])
        return [
            replace(result, check=check_matches(matches, result.translation.target, self.language))
            for result, matches in zip(results, found, strict=True)
        ]

    def _mended(self, translations: Sequence[Translation], found: Sequence[Found]) -> list[TermedTranslation]:
        checks = [
            check_matches(matches, one.target, self.language)
            for one, matches in zip(translations, found, strict=True)
        ]
        needy = [number for number, check in enumerate(checks) if check.wanting or check.forbidden]
        cases = self._cases(
            [translations[i] for i in needy], [found[i] for i in needy], [checks[i] for i in needy]
        )
        whole = [case for case in cases if case.draft.pieces]
        self._mender.mend(whole)
        if self.post_editor is not None:
            languages = (self.matcher.source_language, self.language)
            post_edit(self.post_editor, cases, self.decoder, languages, self.config.limits, self.safety)
        results = [
            TermedTranslation(one, check, Step.PLAIN if matches else Step.NO_TERMS)
            for one, check, matches in zip(translations, checks, found, strict=True)
        ]
        for number, case in zip(needy, cases, strict=True):
            results[number] = result_of(case, translations[number])
        return results

    def _cases(
        self, translations: Sequence[Translation], found: Sequence[Found], checks: Sequence[TermCheck]
    ) -> list[Case]:
        """With the attention behind each translation; without one where the model cannot read it whole."""
        sources = [one.source.text for one in translations]
        fits = self.decoder.fits(sources) if sources else []
        readable = [number for number, fit in enumerate(fits) if fit]
        drafts = dict(zip(readable, self._traced([translations[i] for i in readable]), strict=True))
        cases = []
        for number, (one, matches) in enumerate(zip(translations, found, strict=True)):
            draft = drafts.get(number) or _Untraced(one.target, one.score or 0.0)
            case = Case(one.source, matches, draft, version_of(matches, draft, self.language))
            if number not in drafts:
                for status in case.open:
                    case.give_up(status, TOO_LONG)
            cases.append(case)
        return cases

    def _traced(self, translations: Sequence[Translation]) -> list[Draft]:
        """Drafts with attention: decoded again, and where that says something else, along the translation."""
        sources = [one.source.text for one in translations]
        found = [drafts[0] for drafts in self.decoder.drafts(sources, attention=True)] if sources else []
        others = [i for i, draft in enumerate(found) if draft.text != translations[i].target]
        if others:
            pieces = [self.decoder.target_pieces(translations[i].target) for i in others]
            followed = self.decoder.drafts([sources[i] for i in others], prefixes=pieces, attention=True)
            scores = self.decoder.score(
                [sources[i] for i in others], [translations[i].target for i in others]
            )
            for number, drafts, score in zip(others, followed, scores, strict=True):
                found[number] = _Followed(translations[number].target, drafts[0], score)
        return found


class _Untraced:
    """A translation that the model cannot account for: it did not read the sentence whole."""

    pieces: tuple[str, ...] = ()
    attention: tuple[tuple[float, ...], ...] = ()

    def __init__(self, text: str, score: float) -> None:
        self.text, self.score = text, score


class _Followed:
    """A translation along which the model was led, with its own score: the led one counts pieces as sure."""

    def __init__(self, text: str, draft: Draft, score: float) -> None:
        self.text, self.score = text, score
        self.pieces, self.attention = draft.pieces, draft.attention


__all__ = ["ABSENT", "EnforceConfig", "Enforcer", "Step", "TermEdit", "TermedTranslation"]
