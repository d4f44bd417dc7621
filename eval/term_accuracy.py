"""Term metrics as the WMT 2025 terminology task measures them: success, exact success, consistency.

In: a `Material` and termbases. Out: scores, and per segment which terms were missing.

    terms = TermMetrics([termbase], testset.documents)
    terms.success.score(material).value     # 97.4: of 100 required terms 97.4 are there, in any inflection

Required are the terms of the source whose target the reference has too ("proper"); without references, all
that match. `term success (all)` requires every match, whatever the reference says. Consistency: of the
occurrences of a term that a document has at least twice, the share that is rendered like most of them.
Random terms, the task's control, are drawn by `random_terms`: ordinary words of the test set with a word
that goes with them in the references.
"""

from __future__ import annotations

import random
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial

from eval.scores import Material, Score, Unmeasured, ratio_score, sign
from eval.testsets import TestSet
from terminology.checking import State, TermCheck, check_matches
from terminology.matching import TermMatcher
from terminology.termbase import Term, Termbase, Variant

_WORD = re.compile(r"[^\W\d_]{5,}")
_LEAST_TIMES, _LEAST_DICE = 2, 0.6


@dataclass(frozen=True, slots=True)
class TermMetric:
    """One of the term metrics, in the shape of every other metric."""

    name: str
    measure: Callable[[Material], Score]

    def score(self, material: Material) -> Score:
        return self.measure(material)


class TermMetrics:
    """Finds each source's terms once; every system is held against them."""

    def __init__(self, termbases: Sequence[Termbase], documents: Sequence[str], label: str = "") -> None:
        self._matcher = TermMatcher(termbases)
        self._documents = documents
        self._label = f"{label} " if label else ""
        self._names = "+".join(base.name for base in termbases)
        self._size = sum(len(base.terms) for base in termbases)

    def metrics(self) -> list[TermMetric]:
        measures = (
            ("term success", (State.EXACT, State.INFLECTED), False),
            ("term success (exact)", (State.EXACT,), False),
            ("term success (all)", (State.EXACT, State.INFLECTED), True),
        )
        success = [
            TermMetric(
                self._label + name, partial(self._success, name=name, good=good, everything=everything)
            )
            for name, good, everything in measures
        ]
        return [*success, TermMetric(self._label + "term consistency", self._consistency)]

    def checks(self, material: Material, texts: Sequence[str] | None = None) -> list[TermCheck]:
        """What the termbase has to say about each output (or about other texts, such as the references)."""
        return [
            check_matches(self._matcher.find(source), text, material.target_language)
            for source, text in zip(material.sources, texts or material.outputs, strict=True)
        ]

    def _success(self, material: Material, name: str, good: tuple[State, ...], everything: bool) -> Score:
        wanted = self._required(material, everything)
        parts = []
        for checked, required in zip(self.checks(material), wanted, strict=True):
            states = [status.state for place, status in enumerate(checked.statuses) if required[place]]
            parts.append((float(sum(state in good for state in states)), float(len(states))))
        if not sum(total for _, total in parts):
            raise Unmeasured(self._label + name, "no term of the glossary is required in this test set")
        scope = "all-matched" if everything or not _has_references(material) else "in-reference"
        return ratio_score(
            self._label + name, parts, self._sign(name, scope, int(sum(t for _, t in parts))), 100
        )

    def _required(self, material: Material, everything: bool) -> list[list[bool]]:
        if everything or not _has_references(material):
            return [[True] * len(checked.statuses) for checked in self.checks(material)]
        of_references = self.checks(material, material.references)
        return [[status.state is not State.MISSING for status in one.statuses] for one in of_references]

    def _consistency(self, material: Material) -> Score:
        uses: dict[tuple[str, str], list[tuple[int, str]]] = defaultdict(list)
        for place, checked in enumerate(self.checks(material)):
            for status in checked.statuses:
                rendering = "" if status.state is State.MISSING else status.variant
                uses[self._documents[place], status.match.term.id].append((place, rendering))
        parts = [[0.0, 0.0] for _ in material.ids]
        for renderings in uses.values():
            known = Counter(rendering for _, rendering in renderings if rendering)
            if len(renderings) < 2 or not known:
                continue
            usual = known.most_common(1)[0][0]
            for place, rendering in renderings:
                parts[place][0] += rendering == usual
                parts[place][1] += 1
        name = "term consistency"
        if not any(total for _, total in parts):
            raise Unmeasured(self._label + name, "no document of this test set has a term twice")
        pairs = [(good, total) for good, total in parts]
        signature = self._sign(name, "per-document", int(sum(total for _, total in parts)))
        return ratio_score(self._label + name, pairs, signature, 100)

    def _sign(self, name: str, scope: str, required: int) -> str:
        return sign(
            self._label + name,
            [("scope", scope), ("glossary", self._names), ("terms", self._size), ("required", required)],
        )


def random_terms(testset: TestSet, count: int, seed: int = 12345) -> Termbase:
    """Ordinary words and the word that most goes with each in the references: terms only by decree."""
    together: Counter[tuple[str, str]] = Counter()
    sources: Counter[str] = Counter()
    targets: Counter[str] = Counter()
    for pair in testset.pairs:
        ours, theirs = _words(pair.source.text), _words(pair.target)
        sources.update(ours)
        targets.update(theirs)
        together.update((ours_word, theirs_word) for ours_word in ours for theirs_word in theirs)
    best: dict[str, tuple[float, str]] = {}
    for (source, target), times in together.items():
        dice = 2 * times / (sources[source] + targets[target])
        if times >= _LEAST_TIMES and dice >= _LEAST_DICE:
            best[source] = max(best.get(source, (0.0, "")), (dice, target))
    chosen = random.Random(seed).sample(sorted(best), min(count, len(best)))
    terms = tuple(
        Term(f"random-{number}", source, (Variant(best[source][1]),))
        for number, source in enumerate(sorted(chosen), 1)
    )
    return Termbase(f"random(seed={seed})", testset.source_language, testset.target_language, terms)


def _words(text: str) -> set[str]:
    return set(_WORD.findall(text.lower()))


def _has_references(material: Material) -> bool:
    return all(reference.strip() for reference in material.references)


def missing_terms(checks: Iterable[TermCheck]) -> list[list[tuple[str, str]]]:
    """For each segment (source term, wanted target) of what is missing."""
    return [[(one.match.term.source, one.variant) for one in checked.missing] for checked in checks]
