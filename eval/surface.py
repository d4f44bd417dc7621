"""Metrics that compare letters and words: BLEU, chrF2++, TER, ROUGE-L, METEOR.

In: a `Material` with references. Out: a `Score` with the counts it is made of.

    [metric.score(material) for metric in surface_metrics()]

BLEU, chrF2++ and TER are sacrebleu's own counts; their formulas are repeated over whole matrices of sums,
because thousands of resamples are scored (a test pins them to sacrebleu's own values). ROUGE-L is rouge-
score's, METEOR is NLTK's.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from data.errors import MissingExtraError
from eval.scores import Material, Metric, Score, Statistics, Unmeasured, mean_score, ratio, sign

if TYPE_CHECKING:
    from eval.scores import Floats

_ORDERS = 4  # of BLEU's n-grams
_BETA_SQUARED = 4.0  # chrF2: recall counts twice
# Languages without spaces between words; 13a would take a sentence for one word.
_TOKENIZERS = {"zh": "zh", "ja": "ja-mecab", "ko": "ko-mecab", "th": "char", "lo": "char", "my": "char"}


@dataclass(frozen=True, slots=True)
class Bleu:
    name: str = "BLEU"

    def score(self, material: Material) -> Score:
        sacrebleu = _sacrebleu()
        tokenizer = _TOKENIZERS.get(_base(material.target_language), "13a")
        try:
            metric = sacrebleu.BLEU(tokenize=tokenizer)
        except (ImportError, RuntimeError):
            metric = sacrebleu.BLEU(tokenize="char")
        return _counted(self.name, metric, material, _bleu, _sentence_bleu)


@dataclass(frozen=True, slots=True)
class Chrf:
    name: str = "chrF2++"

    def score(self, material: Material) -> Score:
        return _counted(self.name, _sacrebleu().CHRF(word_order=2), material, _chrf, _chrf)


@dataclass(frozen=True, slots=True)
class Ter:
    name: str = "TER"

    def score(self, material: Material) -> Score:
        metric = _sacrebleu().TER()
        return _counted(self.name, metric, material, _ter, _ter, higher_is_better=False)


@dataclass(frozen=True, slots=True)
class RougeL:
    name: str = "ROUGE-L"

    def score(self, material: Material) -> Score:
        need_references(self.name, material)
        try:
            from rouge_score.rouge_scorer import RougeScorer
            from rouge_score.tokenizers import Tokenizer
        except ImportError:
            raise MissingExtraError(self.name, "eval") from None

        class Words(Tokenizer):  # type: ignore[misc]
            """rouge-score's own keeps a-z only, which would tear `não` into `n` and `o`."""

            def tokenize(self, text: str) -> list[str]:
                return _words(text)

        scorer = RougeScorer(["rougeL"], tokenizer=Words())
        values = [
            100 * scorer.score(reference, output)["rougeL"].fmeasure
            for reference, output in zip(material.references, material.outputs, strict=True)
        ]
        parts = [("tok", "unicode-words"), ("case", "lower"), ("stem", "no"), ("f", "1")]
        return mean_score(
            self.name, values, _signature(self.name, "rouge-score", parts, values), material.ids
        )


@dataclass(frozen=True, slots=True)
class Meteor:
    """NLTK's METEOR; its WordNet stage is English only and its data is no package, so: exact and stem."""

    name: str = "METEOR"

    def score(self, material: Material) -> Score:
        need_references(self.name, material)
        try:
            from nltk.translate.meteor_score import single_meteor_score
        except ImportError:
            raise MissingExtraError(self.name, "eval") from None
        stemmer, stem_name = _stemmer(_base(material.target_language))
        values = [
            100
            * single_meteor_score(
                _words(reference), _words(output), preprocess=str, stemmer=stemmer, wordnet=_NoSynonyms()
            )
            for reference, output in zip(material.references, material.outputs, strict=True)
        ]
        parts = [
            ("match", f"exact+{stem_name}"),
            ("synonyms", "no"),
            ("tok", "unicode-words"),
            ("a", "0.9/3/0.5"),
        ]
        return mean_score(self.name, values, _signature(self.name, "nltk", parts, values), material.ids)


def surface_metrics() -> list[Metric]:
    return [Bleu(), Chrf(), Ter(), RougeL(), Meteor()]


def _counted(
    name: str, metric: Any, material: Material, formula: Any, of_one: Any, higher_is_better: bool = True
) -> Score:
    """sacrebleu's per-segment counts, under our formula."""
    import numpy as np

    need_references(name, material)
    # The counts themselves have no public name; sacrebleu's own significance tests take them from here.
    counts = metric._extract_corpus_statistics(list(material.outputs), [list(material.references)])
    rows = np.asarray(counts, dtype=np.float64)
    signature = f"{name}|{metric.get_signature().format()}|segments:{len(counts)}"
    statistics = Statistics(rows, formula)
    per_segment = tuple(float(value) for value in of_one(rows))
    return Score(name, statistics.value(), signature, per_segment, statistics, higher_is_better)


def _bleu(sums: Floats, effective_order: bool = False) -> Floats:
    """sacrebleu's `compute_bleu` with its default smoothing (exp), on every row of sums at once."""
    import numpy as np

    output_length, reference_length = sums[:, 0], sums[:, 1]
    correct, total = sums[:, 2 : 2 + _ORDERS], sums[:, 2 + _ORDERS :]
    counted = total > 0
    missed = counted & (correct == 0)
    halvings = 2.0 ** np.cumsum(missed, axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        precision = np.where(missed, 100 / (halvings * total), 100 * correct / total)
        logs = np.where(counted, np.log(precision), 0.0 if effective_order else -np.inf)
        orders = counted.sum(axis=1) if effective_order else _ORDERS
        penalty = np.where(
            output_length < reference_length, np.exp(1 - reference_length / output_length), 1.0
        )
        value = penalty * np.exp(logs.sum(axis=1) / orders)
    return np.where(correct.any(axis=1), value, 0.0)


def _sentence_bleu(rows: Floats) -> Floats:
    return _bleu(rows, effective_order=True)


def _chrf(sums: Floats) -> Floats:
    """sacrebleu's `_compute_f_score` with effective order; columns: triples of output, reference, match."""
    import numpy as np

    outputs, references, matches = sums[:, 0::3], sums[:, 1::3], sums[:, 2::3]
    counted = (outputs > 0) & (references > 0)
    orders = np.maximum(counted.sum(axis=1), 1)
    with np.errstate(divide="ignore", invalid="ignore"):
        precision = np.where(counted, matches / outputs, 0).sum(axis=1) / orders
        recall = np.where(counted, matches / references, 0).sum(axis=1) / orders
        value = 100 * (1 + _BETA_SQUARED) * precision * recall / (_BETA_SQUARED * precision + recall)
    return np.where(precision + recall > 0, value, 0.0)


def _ter(sums: Floats) -> Floats:
    """Edits per reference word; sacrebleu's values where there is no reference word."""
    import numpy as np

    value = 100 * ratio(sums)
    empty = np.where(sums[:, 0] > 0, 100.0, 0.0)
    return np.where(sums[:, 1] > 0, value, empty)


class _NoSynonyms:
    def synsets(self, word: str) -> list[Any]:
        return []


class _NoStemmer:
    def stem(self, word: str) -> str:
        return word


def _stemmer(language: str) -> tuple[Any, str]:
    from nltk.stem.snowball import SnowballStemmer

    names = {
        "da": "danish", "nl": "dutch", "en": "english", "fi": "finnish", "fr": "french", "de": "german",
        "hu": "hungarian", "it": "italian", "nb": "norwegian", "no": "norwegian", "pt": "portuguese",
        "ro": "romanian", "ru": "russian", "es": "spanish", "sv": "swedish",
    }  # fmt: skip
    if language not in names:
        return _NoStemmer(), "nothing"
    return SnowballStemmer(names[language]), f"snowball-{names[language]}"


def _words(text: str) -> list[str]:
    import re

    return re.findall(r"\w+", text.lower())


def _signature(name: str, package: str, parts: list[tuple[str, str]], values: Sequence[float]) -> str:
    return sign(name, [("nrefs", 1), *parts, ("version", version(package)), ("segments", len(values))])


def need_references(name: str, material: Material) -> None:
    missing = sum(not reference.strip() for reference in material.references)
    if missing:
        raise Unmeasured(
            name,
            f"{missing} of {len(material.references)} segments have no reference",
            "give a test set with references, or --reference-free",
        )


def _base(language: str) -> str:
    return language.replace("_", "-").split("-")[0].lower()


def _sacrebleu() -> Any:
    try:
        import sacrebleu
    except ImportError:
        raise MissingExtraError("scoring", "eval") from None
    return sacrebleu.metrics
