"""One document from plan to pairs: writer, translator, critic, reviser, final check, at most n rounds.

In: a `Unit` of work and the models. Out: a `Made`: rows that are clean, rows that were given up with a
reason.

    made = make(Unit(slot(config, terms, 3)), Models(writer, translator, critic), config)
    made.rows[0]["src"], made.dropped[0]["reason"]

The critic is the chat model's MQM errors together with our own safety checks and the terms; a pair is clean
when nothing critical or major is left. The last word is with our own checks, which a model cannot talk
round.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Final

from data.agents import Answer, Flaw, criticise, slots, total, write
from data.clinical import check_pair
from data.llm_values import ChatModel
from data.phi import suspicions
from data.plan import Slot, SynthesisConfig, roles
from data.plan_tables import prompt, tables
from data.segments import Pair, Segment
from data.term_prompts import has_term
from data.term_values import LICENCE, Term

_NAMES: Final = {
    "en": "English",
    "pt": "Brazilian Portuguese",
    "es": "Spanish",
    "fr": "French",
    "de": "German",
}
_CASE_CHARACTERS: Final = 3_000
Given = Segment | Pair


@dataclass(frozen=True, slots=True)
class Models:
    """A model for each role; where there is no critic or reviser of its own, the translator's does it."""

    writer: ChatModel
    translator: ChatModel
    critic: ChatModel | None = None
    reviser: ChatModel | None = None

    @property
    def names(self) -> dict[str, str]:
        chosen = {"writer": self.writer, "translator": self.translator}
        chosen["critic"] = self.critic or self.translator
        chosen["reviser"] = self.reviser or self.translator
        return {role: model.name for role, model in chosen.items()}


@dataclass(frozen=True, slots=True)
class Unit:
    """What one step makes: a slot of the plan, and the texts or the case that it begins from."""

    slot: Slot
    given: tuple[Given, ...] = ()
    case: str = ""


@dataclass(frozen=True, slots=True)
class Made:
    rows: Sequence[dict[str, object]]
    dropped: Sequence[dict[str, object]]
    counts: Mapping[str, int]


@dataclass(slots=True)
class _Work:
    """What is known of one document so far; lives within `make`."""

    config: SynthesisConfig
    models: Models
    unit: Unit
    values: dict[str, object]
    answers: list[Answer]
    sources: dict[str, str]
    targets: dict[str, str]
    missing: dict[str, str]
    rounds: int = 0
    critic_failed: bool = False


def make(unit: Unit, models: Models, config: SynthesisConfig) -> Made:
    work = _Work(config, models, unit, _values(unit, config), [], {}, {}, {})
    _write(work)
    flaws: list[Flaw] = []
    if config.mode != "source" and work.sources:
        answer = slots(models.translator, "translator", work.values, work.sources, config.target_language)
        work.answers.append(answer)
        work.targets, work.missing = dict(answer.texts), {**work.missing, **answer.missing}
        flaws = _revised(work)
    return _made(work, flaws)


def document_id(unit: Unit, config: SynthesisConfig) -> str:
    marked = "syn-test" if config.purpose == "test" else "syn"
    languages = f"{config.source_language}-{config.target_language}"
    return f"{marked}-{config.mode}-{languages}-{config.seed}-{unit.slot.number}"


def own_flaws(
    source: str, target: str, terms: Sequence[Term], config: SynthesisConfig, key: str
) -> list[Flaw]:
    """What our own checks find: differences that could hurt someone, and terms that are not there."""
    found = check_pair(source, target, config.source_language, config.target_language)
    flaws = [
        Flaw(key, f"clinical/{one.kind}", one.severity, why=one.message, by="checks")
        for one in found
        if one.severity != "minor"
    ]
    flaws += [
        Flaw(
            key,
            "terminology",
            "minor",
            why=f'"{term.source}" should be "{term.target}", inflected',
            by="terms",
        )
        for term in terms
        if has_term(source, term.source) and not has_term(target, term.target)
    ]
    return flaws


def _write(work: _Work) -> None:
    config, unit, writer = work.config, work.unit, work.models.writer
    language = config.source_language
    if config.mode in ("translate", "paraphrase"):
        work.sources = {
            str(place): (one.source.text if isinstance(one, Pair) else one.text)
            for place, one in enumerate(unit.given, start=1)
        }
        if config.mode == "translate":
            return
        answer = slots(writer, "paraphrase", work.values, work.sources, language)
        answer_texts = dict(answer.texts)
        for key, text in answer_texts.items():
            if check_pair(work.sources[key], text, language, language):
                work.missing[key] = "meaning_changed"
            elif text.casefold() == work.sources[key].casefold():
                work.missing[key] = "not_paraphrased"
        work.missing.update(answer.missing)
        work.sources = {key: text for key, text in answer_texts.items() if key not in work.missing}
    else:
        most = config.segments_per_document
        if config.mode == "terms":
            most = max(1, config.variants_per_term * len(unit.slot.terms))
        answer = write(writer, "terms" if config.mode == "terms" else "writer", work.values, language, most)
        work.sources, work.missing = dict(answer.texts), dict(answer.missing)
    work.answers.append(answer)


def _revised(work: _Work) -> list[Flaw]:
    """Rounds of critic and reviser; stops when nothing is wrong. What is left at the end is handed back."""
    while True:
        work.rounds += 1
        flaws = _flaws(work)
        wrong = {flaw.id for flaw in flaws if flaw.severity != "minor" or flaw.by == "terms"}
        if not wrong or work.rounds > work.config.rounds:
            return flaws
        asked: dict[str, str | Mapping[str, object]] = {
            key: {
                "source": work.sources[key],
                "translation": work.targets[key],
                "errors": [asdict(flaw) for flaw in flaws if flaw.id == key],
            }
            for key in sorted(wrong, key=int)
        }
        reviser = work.models.reviser or work.models.translator
        answer = slots(reviser, "reviser", work.values, asked, work.config.target_language)
        work.answers.append(answer)
        if not answer.texts or all(work.targets[key] == text for key, text in answer.texts.items()):
            return flaws
        work.targets.update(answer.texts)


def _flaws(work: _Work) -> list[Flaw]:
    terms = work.unit.slot.terms
    flaws: list[Flaw] = []
    for key, target in work.targets.items():
        flaws += own_flaws(work.sources[key], target, terms, work.config, key)
    if work.config.critic and work.targets:
        pairs = {key: (work.sources[key], target) for key, target in work.targets.items()}
        found, answer = criticise(work.models.critic or work.models.translator, work.values, pairs)
        work.answers.append(answer)
        work.critic_failed = bool(answer.missing)
        flaws += found
    return flaws


def _made(work: _Work, flaws: Sequence[Flaw]) -> Made:
    rows: list[dict[str, object]] = []
    dropped: list[dict[str, object]] = []
    for key in work.sources:
        own = [flaw for flaw in flaws if flaw.id == key]
        row = _row(work, key, own)
        reason = work.missing.get(key) or _given_up(own)
        if reason:
            dropped.append({**row, "reason": reason})
        else:
            rows.append(row)
    name = document_id(work.unit, work.config)
    for key, reason in work.missing.items():
        if key not in work.sources:
            dropped.append({"id": f"{name}-{key}", "document": name, "reason": reason})
    counts = {"pairs": len(rows), "documents": 1, **total(work.answers)}
    for one in dropped:
        counts[f"dropped_{one['reason']}"] = counts.get(f"dropped_{one['reason']}", 0) + 1
    return Made(rows, dropped, counts)


def _given_up(flaws: Sequence[Flaw]) -> str:
    """The gravest that is left; a missing term is told in the record, and is the filter's to judge."""
    for severity in ("critical", "major"):
        for flaw in flaws:
            if flaw.severity == severity:
                return flaw.category.replace("/", "_") if flaw.by == "checks" else f"critic_{severity}"
    return ""


def _row(work: _Work, key: str, flaws: Sequence[Flaw]) -> dict[str, object]:
    config, unit = work.config, work.unit
    source, target = work.sources[key], work.targets.get(key, "")
    name = document_id(unit, config)
    given = unit.given[int(key) - 1] if unit.given else None
    row: dict[str, object] = {
        "id": f"{name}-{key}", "src": source, "tgt": target,
        "src_lang": config.source_language, "tgt_lang": config.target_language,
        "origin": f"synthesis:{config.mode}:{work.models.writer.name}",
        "licence": (given.licence if isinstance(given, Pair) else "") or LICENCE,
        "document": name, "position": int(key) - 1, "purpose": config.purpose,
        "type": unit.slot.type, "specialty": unit.slot.specialty, "reader": unit.slot.reader,
        "style": unit.slot.style, "phenomena": list(unit.slot.phenomena),
        "terms": [
            {
                "source": term.source, "target": term.target,
                "in_source": has_term(source, term.source), "in_target": has_term(target, term.target),
            }
            for term in unit.slot.terms
        ],
        "models": work.models.names, "seed": config.seed, "rounds": work.rounds,
        "prompts": [prompt(one).version for one in roles(config)] + [tables().version],
        "scores": {"flaws": len(flaws), "critic": not work.critic_failed and config.critic},
    }  # fmt: skip
    if given is not None:
        row["made_from"] = given.id
    if found := suspicions(f"{source} {target}", unit.case):
        row["phi"] = list(found)
    return row


def _values(unit: Unit, config: SynthesisConfig) -> dict[str, object]:
    """What the prompts' places are filled with."""
    one, from_tables = unit.slot, tables()
    listed = "; ".join(
        term.source if config.mode == "source" else f"{term.source} = {term.target}" for term in one.terms
    )
    case = (
        f"A public case to take the kind of illness from; copy no sentence: {unit.case[:_CASE_CHARACTERS]}\n"
    )
    return {
        "source_language": _NAMES.get(config.source_language, config.source_language),
        "target_language": _NAMES.get(config.target_language, config.target_language),
        "type": one.type, "type_hint": from_tables.types[one.type], "specialty": one.specialty,
        "reader": one.reader, "reader_hint": from_tables.readers[one.reader],
        "style": one.style, "style_hint": from_tables.styles[one.style], "seed": one.seed,
        "phenomena": "; ".join(from_tables.phenomena[name] for name in one.phenomena) or "nothing special",
        "terms": listed or "none", "variation": one.variation, "case": case if unit.case else "",
        "length": f"{config.segments_per_document} segments at most", "variants": config.variants_per_term,
    }  # fmt: skip
