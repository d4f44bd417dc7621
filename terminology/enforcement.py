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

from data.llm import ChatModel
from data.segments import Hypothesis, Segment, Translation
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
from terminology.guards import SafetyCheck, clinical_safety
from terminology.matching import TermMatch, TermMatcher
from terminology.mending import EnforceConfig, Mender
from terminology.postedit import Neighbours, PostEditor, post_edit
from terminology.termbase import Termbase
from terminology.tracing import traced
from terminology.wordings import decide, follow, settles

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
        self,
        translations: Sequence[Translation],
        wordings: MutableMapping[str, str] | None = None,
        drafts: Sequence[Hypothesis] = (),
    ) -> list[Enforced]:
        """For the service: the translations, mended, each with the record of what was done."""
        return [
            Enforced(result.translation, record_of(result, wordings or {}, self.language))
            for result in self.mended(translations, wordings, drafts)
        ]

    def mended(
        self,
        translations: Sequence[Translation],
        wordings: MutableMapping[str, str] | None = None,
        drafts: Sequence[Hypothesis] = (),
    ) -> list[TermedTranslation]:
        """In the order of the translations; with `wordings`, in the words that the document uses."""
        found = [self.matcher.find(one.source.text) for one in translations]
        choices = any(settles(match, self.language) for matches in found for match in matches)
        if wordings is None or not choices:
            return self._mended(translations, found, drafts)
        checks = [self._check(*pair) for pair in zip(found, translations, strict=True)]
        decide(checks, wordings, self.language)
        results = self._mended(translations, [follow(matches, wordings) for matches in found], drafts)
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
            if result.check.ok and not self._check(matches, result.translation).ok
        ]
        again = self._mended([results[i].translation for i in late], [narrowed[i] for i in late])
        for number, result in zip(late, again, strict=True):
            results[number] = result.after(results[number])
        return [
            replace(result, check=self._check(matches, result.translation))
            for result, matches in zip(results, found, strict=True)
        ]

    def _mended(
        self, translations: Sequence[Translation], found: Sequence[Found], drafts: Sequence[Hypothesis] = ()
    ) -> list[TermedTranslation]:
        checks = [self._check(*pair) for pair in zip(found, translations, strict=True)]
        results = [
            TermedTranslation(one, check, Step.PLAIN if matches else Step.NO_TERMS)
            for one, check, matches in zip(translations, checks, found, strict=True)
        ]
        needy = [number for number, check in enumerate(checks) if check.wanting or check.forbidden]
        given = [drafts[number] if drafts else None for number in needy]
        behind = traced(self.decoder, [translations[number] for number in needy], given)
        cases = [
            self._case(translations[number], found[number], draft)
            for number, draft in zip(needy, behind, strict=True)
        ]
        self._mender.mend([case for case in cases if case.draft.pieces])
        if self.post_editor is not None:
            languages = (self.matcher.source_language, self.language)
            post_edit(self.post_editor, cases, self.decoder, languages, self.config.limits, self.safety)
        for number, case in zip(needy, cases, strict=True):
            results[number] = result_of(case, translations[number])
        return results

    def _case(self, translation: Translation, matches: Found, draft: Draft) -> Case:
        case = Case(translation.source, matches, draft, version_of(matches, draft, self.language))
        if not draft.pieces:
            for status in case.open:
                case.give_up(status, TOO_LONG)
        return case

    def _check(self, matches: Found, translation: Translation) -> TermCheck:
        return check_matches(matches, translation.target, self.language)


def enforcer_for(
    decoder: Decoder,
    termbases: Sequence[Termbase],
    chat: ChatModel | None = None,
    neighbours: Neighbours | None = None,
) -> Enforcer:
    """As the edges want it: termbases by rank, clinical checks in the guard, the LLM if one is given."""
    matcher = TermMatcher(termbases)
    source, target = matcher.source_language, matcher.target_language
    editor = PostEditor(chat, source, target, neighbours) if chat is not None else None
    safety = clinical_safety(source, target, termbases)
    return Enforcer(decoder, matcher, safety=safety, post_editor=editor)


__all__ = ["ABSENT", "EnforceConfig", "Enforcer", "Step", "TermEdit", "TermedTranslation", "enforcer_for"]
