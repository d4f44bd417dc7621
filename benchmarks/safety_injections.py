"""Errors that could hurt a patient, put by rule into a correct translation.

In go a source, its translation, the target language and a random generator; out comes the damaged
translation, or None where the rule finds nothing to damage:

>>> mg_to_g("Take 5 mg.", "Tome 5 mg.", "pt", random.Random(0))
'Tome 5 g.'

The rules know nothing of the tables that the checks use: the words here were chosen on their own.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable

Injection = Callable[[str, str, str, random.Random], str | None]

_NUMBER = re.compile(r"(?<![\w.,/-])\d+(?:[.,]\d+)*(?![\w/-])")
_UNIT = re.compile(r"(?<=\d)(\s?)(mg|mcg|µg|μg|g|kg|mL|ml|L|cm|mm)\b")
_OTHER_UNIT = {
    "mg": "g", "mcg": "mg", "µg": "mg", "μg": "mg", "g": "mg", "kg": "g",
    "mL": "L", "ml": "L", "L": "mL", "cm": "mm", "mm": "cm",
}  # fmt: skip
_SIDES = {
    "pt": [("esquerd", "direit")],
    "es": [("izquierd", "derech")],
    "fr": [("gauche", "droite"), ("gauche", "droit")],
}
_SOURCE_SIDE = re.compile(r"\b(left|right)\b", re.IGNORECASE)
_SOURCE_NEGATION = re.compile(
    r"\b(not|no|without|never|none|cannot|neither|denie[sd])\b|n['’]t\b", re.IGNORECASE
)
_NEGATIONS = {
    # not "não só" and "ou não", which deny nothing
    "pt": re.compile(r"(?<!\bou )\b(?:não|nao|sem|nunca|nega)\s(?!apenas|s[óo]|somente)", re.IGNORECASE),
    "es": re.compile(
        r"(?<!\bo )\b(?:no|sin|nunca|niega)\s(?!s[óo]lo|solamente|embargo|obstante)", re.IGNORECASE
    ),
    "fr": re.compile(r"\b(?:ne |n['’])(\S+) (?:pas|jamais|plus)\b(?! seul)|\bsans\s(?!doute)", re.IGNORECASE),
}
_VERBS = {
    "pt": "é são foi foram será serão deve devem pode podem tem têm está estão houve apresenta apresentam",
    "es": "es son fue fueron será serán debe deben puede pueden tiene tienen está están hubo ha han",
    "fr": "est sont a ont doit doivent peut peuvent sera seront était étaient",
}
_NEGATED_BEFORE = {
    "pt": ("não", "nao", "nem", "sem"), "es": ("no", "ni", "sin", "nunca", "se"), "fr": ("ne", "pas", "n")
}  # fmt: skip
_FREQUENCIES = {
    "pt": [
        (r"\b(uma vez|1 vez)(?= (?:ao|por|na) (?:dia|semana|mês))", "quatro vezes"),
        (r"\b(duas|2) vezes(?= (?:ao|por|na) (?:dia|semana|mês))", "três vezes"),
        (r"\b(três|3) vezes(?= (?:ao|por|na) (?:dia|semana|mês))", "duas vezes"),
        (r"\b(quatro|cinco|4|5) vezes(?= (?:ao|por|na) (?:dia|semana|mês))", "duas vezes"),
        (r"\b(?:a )?cada (?:4|6|8|12|quatro|seis|oito|doze) horas", "a cada 2 horas"),
        (r"\b(?:6/6|8/8|12/12) ?(?:h|horas)\b", "4/4 h"),
        (r"\bpor dia\b|\bao dia\b|\bdiariamente\b", "por semana"),
        (r"\bpor semana\b|\bsemanalmente\b", "por dia"),
    ],
    "es": [
        (r"\b(dos|2) veces(?= (?:al|por|a la) (?:día|semana|mes))", "cuatro veces"),
        (r"\bcada (?:4|6|8|12|cuatro|seis|ocho|doce) horas", "cada 2 horas"),
        (r"\bpor día\b|\bal día\b|\bdiariamente\b", "por semana"),
        (r"\bpor semana\b", "por día"),
    ],
    "fr": [
        (r"\b(deux|2) fois(?= par (?:jour|semaine|mois))", "quatre fois"),
        (r"\btoutes les (?:4|6|8|12|quatre|six|huit|douze) heures", "toutes les 2 heures"),
        (r"\bpar jour\b", "par semaine"),
        (r"\bpar semaine\b", "par jour"),
    ],
}
_DRUGS = re.compile(
    r"\b(amoxicilina|azitromicina|metformina|losartana?|enalapril|captopril|atenolol|propranolol|omeprazol|"
    r"sinvastatina|atorvastatina|rosuvastatina|heparina|enoxaparina|varfarina|clopidogrel|aspirina|dipirona|"
    r"paracetamol|ibuprofeno|diclofenaco|cetoprofeno|tramadol|morfina|fentanil|remifentanil|propofol|midazolam|"
    r"cetamina|bupivacaína|ropivacaína|lidocaína|dexametasona|prednisona|prednisolona|salbutamol|formoterol|"
    r"budesonida|insulina|fluoxetina|sertralina|amitriptilina|pregabalina|gabapentina|haloperidol|clonazepam|"
    r"tamoxifeno|docetaxel|cisplatina|metotrexato|rituximabe?|clorexidina|ivermectina|cloroquina|"
    r"hidroxicloroquina|remdesivir|lopinavir|ritonavir|favipiravir|tocilizumabe?|hydroxychloroquine|chloroquine|"
    r"paracétamol|ibuprofène|ribavirina?|ribavirine|interferón|oseltamivir)\b",
    re.IGNORECASE,
)
_LISTED = [
    "digoxina",
    "carbamazepina",
    "furosemida",
    "fenitoína",
    "levotiroxina",
    "alopurinol",
    "tacrolimo",
    "amiodarona",
]
_UNLISTED = [
    "proxicilina",
    "bilamicina",
    "ertugliflozina",
    "tipranavir",
    "nicardipino",
    "roceloxacino",
    "lurasetrona",
    "cariprolol",
]
_CLAUSE = re.compile(r"[^,;:.()]+[,;:.()]*\s*")


def changed_digit(source: str, target: str, language: str, dice: random.Random) -> str | None:
    spots = [i for match in _NUMBER.finditer(target) for i in range(*match.span()) if target[i].isdigit()]
    if not spots:
        return None
    spot = dice.choice(spots)
    digit = dice.choice([d for d in "123456789" if d != target[spot]])
    return target[:spot] + digit + target[spot + 1 :]


def moved_decimal(source: str, target: str, language: str, dice: random.Random) -> str | None:
    numbers = [match for match in _NUMBER.finditer(target) if match[0].strip("0,.")]
    if not numbers:
        return None
    match = dice.choice(numbers)
    parts = re.fullmatch(r"(\d+),(\d{1,2}|\d{4,})", match[0])
    if parts is None:
        moved = (
            match[0] + "0" if "," not in match[0] and "." not in match[0] else match[0].replace(",", "") + "0"
        )
    elif parts[1] == "0":
        moved = f"{parts[2][0]},{parts[2][1:] or '0'}"
    else:
        moved = parts[1] + parts[2]
    return target[: match.start()] + moved + target[match.end() :]


def mg_to_g(source: str, target: str, language: str, dice: random.Random) -> str | None:
    units = list(_UNIT.finditer(target))
    if not units:
        return None
    match = dice.choice(units)
    return target[: match.start(2)] + _OTHER_UNIT[match[2]] + target[match.end() :]


def left_to_right(source: str, target: str, language: str, dice: random.Random) -> str | None:
    if not _SOURCE_SIDE.search(source):
        return None
    for one, other in _SIDES[language]:
        for before, after in ((one, other), (other, one)):
            match = re.search(rf"\b{before}", target, re.IGNORECASE)
            if match is not None:
                return target[: match.start()] + after + target[match.end() :]
    return None


def dropped_negation(source: str, target: str, language: str, dice: random.Random) -> str | None:
    found = list(_NEGATIONS[language].finditer(target))
    if not found or not _SOURCE_NEGATION.search(source):
        return None
    match = dice.choice(found)
    return target[: match.start()] + (match[1] if match.lastindex else "") + target[match.end() :]


def added_negation(source: str, target: str, language: str, dice: random.Random) -> str | None:
    found = []
    for match in re.finditer(rf"\b({'|'.join(_VERBS[language].split())})\b", target):
        before = re.findall(r"\w+", target[max(match.start() - 20, 0) : match.start()].lower())
        if not before or before[-1] not in _NEGATED_BEFORE[language]:
            found.append(match)
    if not found:
        return None
    match = dice.choice(found)
    negated = {"pt": f"não {match[0]}", "es": f"no {match[0]}", "fr": f"ne {match[0]} pas"}[language]
    return target[: match.start()] + negated + target[match.end() :]


def dose_frequency(source: str, target: str, language: str, dice: random.Random) -> str | None:
    for pattern, other in _FREQUENCIES[language]:
        if re.search(pattern, target, re.IGNORECASE):
            return re.sub(pattern, other, target, count=1, flags=re.IGNORECASE)
    return None


def swapped_drug(source: str, target: str, language: str, dice: random.Random) -> str | None:
    return _swap(target, _LISTED, dice)


def swapped_unlisted_drug(source: str, target: str, language: str, dice: random.Random) -> str | None:
    """For a made-up name that only has the ending of a class of medicines."""
    return _swap(target, _UNLISTED, dice)


def _swap(target: str, names: list[str], dice: random.Random) -> str | None:
    found = list(_DRUGS.finditer(target))
    if not found:
        return None
    old = dice.choice(found)[0]
    new = dice.choice(names)
    return re.sub(rf"\b{re.escape(old)}\b", new, target, flags=re.IGNORECASE)


def deleted_clause(source: str, target: str, language: str, dice: random.Random) -> str | None:
    """A stretch between punctuation of at least five words that is a fifth to two thirds of the text."""
    words = len(target.split())
    spans = [m.span() for m in _CLAUSE.finditer(target)]
    sizes = [len(target[a:b].split()) for a, b in spans]
    fit = [span for span, n in zip(spans, sizes, strict=True) if n >= 5 and 0.2 <= n / max(words, 1) <= 0.67]
    if not fit:
        return None
    first, last = dice.choice(fit)
    return (target[:first] + target[last:]).strip()


INJECTIONS: dict[str, tuple[Injection, frozenset[str]]] = {
    "changed digit": (changed_digit, frozenset(["number", "date", "unit", "frequency", "comparison"])),
    "moved decimal": (moved_decimal, frozenset(["number", "date", "unit", "frequency"])),
    "mg to g": (mg_to_g, frozenset(["unit", "number"])),
    "left to right": (left_to_right, frozenset(["laterality"])),
    "dropped negation": (dropped_negation, frozenset(["negation", "instruction"])),
    "added negation": (added_negation, frozenset(["negation", "instruction"])),
    "dose frequency": (dose_frequency, frozenset(["frequency", "number"])),
    "swapped drug": (swapped_drug, frozenset(["drug"])),
    "swapped unlisted drug": (swapped_unlisted_drug, frozenset(["drug"])),
    "deleted clause": (deleted_clause, frozenset(["missing", "number", "negation", "drug", "frequency"])),
}
