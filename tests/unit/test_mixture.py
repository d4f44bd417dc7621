"""Which examples come when, and what is said about bad data before training starts."""

from __future__ import annotations

import itertools
from collections import Counter
from pathlib import Path

import pytest

from data.errors import ConfigError, InputError, ModelError
from data.jsonl import write_jsonl
from data.segments import Pair, Segment
from mt.config import LoraConfig, TrainConfig
from mt.finetune_data import Vocabulary, read_corpora, turned
from mt.finetune_mixture import Mixture, Source, batches
from mt.finetune_models import load_base
from tests.tiny_marian import SENTENCES, build_tiny_marian

pytestmark = pytest.mark.transformers
CONFIG = TrainConfig(source="en", target="pt", longest=120)


@pytest.fixture(scope="module")
def vocabulary(tmp_path_factory: pytest.TempPathFactory) -> Vocabulary:
    return load_base(build_tiny_marian(tmp_path_factory.mktemp("base"))).vocabulary


def rows(count: int, **more: object) -> list[dict[str, object]]:
    return [
        {"id": f"r{i}", "src": f"{SENTENCES[i % 3]} {i}", "tgt": f"{SENTENCES[3 + i % 3]} {i}", **more}
        for i in range(count)
    ]


def file(folder: Path, name: str, records: list[dict[str, object]]) -> Path:
    write_jsonl(folder / name, records)
    return folder / name


def test_weights_are_shares_of_tokens_whatever_the_sizes(vocabulary: Vocabulary, tmp_path: Path) -> None:
    small, large = file(tmp_path, "s.jsonl", rows(7)), file(tmp_path, "l.jsonl", rows(90))
    mixture = Mixture((Source("small", small, 3), Source("large", large, 1)))
    corpora = read_corpora(mixture, vocabulary, CONFIG)
    tokens: Counter[int] = Counter()
    for batch in itertools.islice(batches(corpora, 40_000, 400, 1), 120):
        assert len(batch) * max(corpora[e.corpus].target_length(e.pair) for e in batch) <= 400
        for example in batch:
            tokens[example.corpus] += corpora[example.corpus].target_length(example.pair)
    assert tokens[0] / tokens.total() == pytest.approx(0.75, abs=0.03)


def test_weights_move_over_the_run(vocabulary: Vocabulary, tmp_path: Path) -> None:
    path = file(tmp_path, "a.jsonl", rows(50))
    mixture = Mixture((Source("general", path, 1, end_weight=0), Source("own", path, 0, end_weight=1)))
    corpora = read_corpora(mixture, vocabulary, CONFIG)
    total, seen = 40_000, []
    for batch in batches(corpora, total, 300, 1):
        seen += [(e.corpus, corpora[e.corpus].target_length(e.pair)) for e in batch]
        if sum(length for _, length in seen) > total:
            break
    fifth = len(seen) // 5
    first, last = (sum(c for c, _ in part) / fifth for part in (seen[:fifth], seen[-fifth:]))
    assert first < 0.2
    assert last > 0.8


def test_every_pair_comes_once_an_epoch_in_an_order_of_the_seed(
    vocabulary: Vocabulary, tmp_path: Path
) -> None:
    corpora = read_corpora(Mixture((Source("a", file(tmp_path, "a.jsonl", rows(30))),)), vocabulary, CONFIG)
    total = corpora[0].target_tokens * 8

    def order(seed: int) -> list[int]:
        drawn = itertools.islice(batches(corpora, total, 200, seed), 200)
        return [example.pair for batch in drawn for example in batch]

    assert order(1) == order(1)
    assert order(1) != order(2)
    counts = Counter(order(1))
    assert set(counts) == set(range(30))
    assert max(counts.values()) - min(counts.values()) <= 3


@pytest.mark.parametrize(
    ("records", "message"),
    [
        ([], r"a.jsonl: empty; source 'own' needs pairs"),
        (rows(3, tgt=" "), r"nothing to train on: 0 of 3 pairs kept \(dropped: 3 empty\)"),
        (rows(200, src="Take 5 mg.", tgt="Tome 5 mg."), r"all duplicates: 1 of 200 pairs kept"),
        (rows(2, src="fever " * 10_000), r"nothing to train on: 0 of 2 pairs kept \(dropped: 2 too_long\)"),
        (rows(4, src_lang="en", tgt_lang="es"), r"dropped: 4 other_languages"),
    ],
)
def test_useless_sources_stop_with_counts(
    vocabulary: Vocabulary, tmp_path: Path, records: list[dict[str, object]], message: str
) -> None:
    path = file(tmp_path, "a.jsonl", records)
    with pytest.raises(InputError, match=message):
        read_corpora(Mixture((Source("own", path),)), vocabulary, CONFIG)


def test_bad_rows_among_good_ones_are_dropped_and_counted(vocabulary: Vocabulary, tmp_path: Path) -> None:
    records = [*rows(9), *rows(1), *rows(1, id="e", tgt=""), *rows(1, id="l", src="fever " * 10_000)]
    corpus = read_corpora(Mixture((Source("own", file(tmp_path, "a.jsonl", records)),)), vocabulary, CONFIG)[
        0
    ]
    assert str(corpus.counts) == "9 of 12 pairs kept (dropped: 1 duplicate, 1 empty, 1 too_long)"


def test_letters_that_the_vocabulary_cannot_write(vocabulary: Vocabulary, tmp_path: Path) -> None:
    records: list[dict[str, object]] = [
        {"id": str(i), "src": SENTENCES[0] + str(i), "tgt": f"每日一次 {i}"} for i in range(5)
    ]
    with pytest.raises(ModelError, match=r"cannot write the target side: \d+\.\d% of its pieces are unknown"):
        read_corpora(Mixture((Source("own", file(tmp_path, "a.jsonl", records)),)), vocabulary, CONFIG)


def test_the_wrong_language_on_one_side(vocabulary: Vocabulary, tmp_path: Path) -> None:
    records: list[dict[str, object]] = [
        {"id": str(i), "src": SENTENCES[2] + str(i), "tgt": SENTENCES[2] + str(i)} for i in range(9)
    ]

    def detect(text: str) -> list[tuple[str, float]]:
        return [("pt" if "Suspender" in text else "en", 1.0)]

    path = file(tmp_path, "a.jsonl", records)
    with pytest.raises(
        InputError, match=r"the target side should be 'pt', but of 9 segments looked at 9 are not \(9 en\)"
    ):
        read_corpora(Mixture((Source("own", path),)), vocabulary, CONFIG, detect=detect)
    good = file(tmp_path, "b.jsonl", rows(9))
    assert read_corpora(Mixture((Source("own", good),)), vocabulary, CONFIG, detect=detect)


@pytest.mark.parametrize(
    ("languages", "expected"),
    [
        (("en", "pt"), ("Take.", "Tome.")),
        (("", ""), ("Take.", "Tome.")),
        (("en-GB", "pt_BR"), ("Take.", "Tome.")),
        (("pt", "en"), ("Tome.", "Take.")),
        (("en", "es"), None),
    ],
)
def test_one_file_serves_both_directions(languages: tuple[str, str], expected: object) -> None:
    pair = turned(Pair(Segment("1", "Take."), "Tome.", *languages), "en", "pt")
    assert (pair and (pair.source.text, pair.target)) == expected


def test_tags_and_hints_stand_before_the_source(vocabulary: Vocabulary, tmp_path: Path) -> None:
    path = file(tmp_path, "a.jsonl", rows(12))

    def lengths(**more: float | str) -> list[int]:
        source = Source("own", path, **more)  # type: ignore[arg-type]
        corpus = read_corpora(
            Mixture((source,)), vocabulary, CONFIG, annotate=lambda pair: f"mg mg {pair.source.text}"
        )[0]
        return [corpus.source_length(i) for i in range(len(corpus))]

    plain, tagged, hinted = lengths(), lengths(tag="fever"), lengths(annotated=1.0)
    assert all(more > less for more, less in zip(tagged, plain, strict=True))
    assert all(more > less for more, less in zip(hinted, plain, strict=True))
    some = lengths(annotated=0.5)
    assert 0 < sum(more > less for more, less in zip(some, plain, strict=True)) < len(plain)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Mixture(()), "has no sources"),
        (lambda: Mixture((Source("a", Path("x")), Source("a", Path("y")))), "two sources .* 'a'"),
        (lambda: Mixture((Source("a", Path("x"), 0),)), "weights of all sources are 0"),
        (lambda: Source("a", Path("x"), -1), "'a': weight must be 0 or more"),
        (lambda: Source("a", Path("x"), cross_entropy=0), "both 0: nothing to learn"),
        (lambda: TrainConfig(schedule="wavy"), "no schedule 'wavy'; valid: cosine, linear"),
        (lambda: TrainConfig(epochs=0), "epochs and max_tokens are both 0"),
        (lambda: TrainConfig(freeze=("head",)), "no freeze 'head'; valid: embeddings, encoder, decoder"),
        (lambda: TrainConfig(blend=(0.5, 1.5)), "shares above 0 and up to 1, not 1.5"),
        (lambda: TrainConfig(blend=(0.5,), lora=LoraConfig()), "blend and lora do not go together"),
    ],
)
def test_settings_that_make_no_sense(make: object, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        make()  # type: ignore[operator]


def test_signs_that_the_vocabulary_lacks_are_learnt_as_words(tmp_path: Path) -> None:
    starter = load_base(Path("mt/starter/models/en-pt")).vocabulary
    pair: dict[str, object] = {"id": "1", "src": "Creatinine < 1.5 mg", "tgt": "Creatinina < 1,5 mg"}
    (corpus,) = read_corpora(
        Mixture((Source("a", file(tmp_path, "a.jsonl", [pair, *rows(30)])),)), starter, CONFIG
    )
    pieces = {number: piece for piece, number in starter.numbers.items()}
    for row, words in ((corpus.source_row(0), "less▁than"), (corpus.target_row(0), "menor▁que")):
        assert starter.unknown not in row
        assert words in "".join(pieces[int(number)] for number in row)
