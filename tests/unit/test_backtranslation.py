"""Pairs made of text in one language, and of the translations nearest to a reference."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from data.errors import ConfigError, InputError, RecordError
from data.jsonl import read_pairs, write_jsonl
from data.segments import Pair, Segment, Verdict
from mt.backtranslation import Made, Summary, back_translate, best_of, monolingual, sampled, self_translate
from mt.config import DecodeConfig, DeviceConfig
from mt.engine import Engine
from mt.models import find_model

TEXTS = [Segment("a", "Tome 5 mg uma vez ao dia."), Segment("b", "O paciente nega febre.")]


@pytest.fixture(scope="module")
def reverse() -> Engine:
    return Engine(find_model("pt", "en"), DeviceConfig(threads=1))


def test_people_wrote_the_targets(reverse: Engine, tmp_path: Path) -> None:
    out = tmp_path / "back.jsonl"
    assert back_translate(TEXTS, reverse, out, Made("en", "pt", licence="CC0-1.0")) == Summary(2, 2, {})
    pairs = list(read_pairs(out))
    assert [pair.target for pair in pairs] == [text.text for text in TEXTS]
    assert [pair.id for pair in pairs] == ["back:a", "back:b"]
    assert "patient" in pairs[1].source.text
    assert pairs[0].origin == "back-translated by pt-en"
    assert (pairs[0].source_language, pairs[0].target_language, pairs[0].licence) == ("en", "pt", "CC0-1.0")


def test_the_model_wrote_the_targets_of_replay(reverse: Engine, tmp_path: Path) -> None:
    out = tmp_path / "replay.jsonl"
    self_translate(TEXTS, reverse, out, Made("pt", "en"))
    pairs = list(read_pairs(out))
    assert [pair.source.text for pair in pairs] == [text.text for text in TEXTS]
    assert [pair.target for pair in pairs] == reverse.translate([text.text for text in TEXTS])


def test_sampling_varies_and_a_beam_does_not(reverse: Engine, tmp_path: Path) -> None:
    def made(decode: DecodeConfig) -> set[str]:
        found = set()
        for number in range(6):
            out = tmp_path / f"{number}.jsonl"
            back_translate(TEXTS[:1], reverse, out, Made("en", "pt", decode))
            found |= {pair.source.text for pair in read_pairs(out)}
        return found

    assert len(made(DecodeConfig(beam_size=2))) == 1
    assert len(made(sampled(50, 1.5))) > 1
    with pytest.raises(ConfigError, match="sampling and a beam do not go together"):
        DecodeConfig(beam_size=4, sampling_topk=10)


def test_what_is_dropped_is_counted(reverse: Engine, tmp_path: Path) -> None:
    def judge(pair: Pair) -> Verdict:
        return Verdict(keep="5" not in pair.target, reason="number")

    texts = [*TEXTS, Segment("c", " ")]
    made = Made("en", "pt", judge=judge)
    assert back_translate(texts, reverse, tmp_path / "a", made) == Summary(3, 1, {"number": 1, "empty": 1})
    strict = Made("en", "pt", least_score=0.0)
    assert back_translate(TEXTS, reverse, tmp_path / "b", strict) == Summary(2, 0, {"score": 2})


def test_the_nearest_of_several_translations(reverse: Engine, tmp_path: Path) -> None:
    pair = Pair(TEXTS[1], "x", "pt", "en", "here")
    candidates = [h.text for h in reverse.candidates([TEXTS[1].text], DecodeConfig(n_best=4))[0]]
    wanted = candidates[2]
    best_of([pair], reverse, tmp_path / "near.jsonl", lambda text, reference: float(text == wanted), n=4)
    found = next(read_pairs(tmp_path / "near.jsonl"))
    assert (found.target, found.origin) == (wanted, "here; best of 4 by pt-en")


def test_text_comes_as_lines_or_records(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("Um.\n\nDois.\n", encoding="utf-8")
    assert list(monolingual(tmp_path / "a.txt")) == [Segment("a:1", "Um."), Segment("a:3", "Dois.")]
    with gzip.open(tmp_path / "g.pt.txt.gz", "wt", encoding="utf-8") as stream:
        stream.write("Três.\n")
    assert list(monolingual(tmp_path / "g.pt.txt.gz")) == [Segment("g:1", "Três.")]
    write_jsonl(tmp_path / "m.jsonl", [{"id": "x", "text": "Quatro."}, {"src": "Cinco."}])
    assert list(monolingual(tmp_path / "m.jsonl")) == [Segment("x", "Quatro."), Segment("m:2", "Cinco.")]
    write_jsonl(tmp_path / "bad.jsonl", [{"id": "x"}])
    with pytest.raises(RecordError, match=r"bad.jsonl:1: has no text"):
        list(monolingual(tmp_path / "bad.jsonl"))
    (tmp_path / "short.gz").write_bytes((tmp_path / "g.pt.txt.gz").read_bytes()[:12])
    with pytest.raises(InputError, match="cannot read"):
        list(monolingual(tmp_path / "short.gz"))
    (tmp_path / "latin.txt").write_bytes(b"Tr\xeas")
    with pytest.raises(InputError, match="not UTF-8"):
        list(monolingual(tmp_path / "latin.txt"))
