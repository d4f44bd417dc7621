"""Test sets and system outputs from wherever they are: the bundled one, files, or a data set's name.

In: what the user wrote. Out: a `TestSet`, or output texts in its order.

    load_testset("bundled", "en", "pt")               # or "pt", "en"
    load_testset("heldout.tmx", "en", "pt")           # .jsonl .tsv .tmx .parquet
    load_testset("gmnlp/tico19:en-pt@test", "en", "pt")   # name[:config][@split] of the library `datasets`
    read_outputs(Path("system.txt"), testset)         # a line a segment, or .jsonl with ids
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from data.checks.tables import base_language
from data.errors import ConfigError, InputError, MissingExtraError, RecordError
from data.jsonl import read_jsonl
from data.segments import Pair, Segment
from eval.readers import READERS, SOURCES, read_text
from eval.scores import Material

SAMPLES = Path(__file__).parent.parent / "data" / "samples"
_NAME = re.compile(r"(?P<name>[\w.-]+/[\w.-]+)(?::(?P<config>[\w.-]+))?(?:@(?P<split>[\w.-]+))?")
_TARGETS = ("tgt", "target", "targetString", "target_text", "tgt_text", "reference", "ref")
_OUTPUTS = ("tgt", "target", "translation", "hypothesis", "output", "mt")
_IDS = ("id", "stringID", "segment_id")


@dataclass(frozen=True, slots=True)
class TestSet:
    """Pairs to be translated and compared with; a pair without a target has no reference."""

    __test__ = False  # pytest takes the name for a class of tests

    name: str
    pairs: tuple[Pair, ...]
    source_language: str
    target_language: str
    path: str = ""

    @property
    def has_references(self) -> bool:
        return all(pair.target.strip() for pair in self.pairs)

    @property
    def digest(self) -> str:
        """Says whether two reports are about the same segments and references."""
        parts = (f"{pair.source.text}\x1e{pair.target}" for pair in self.pairs)
        return hashlib.sha256("\x1f".join(parts).encode("utf-8", "surrogatepass")).hexdigest()[:16]

    @property
    def documents(self) -> tuple[str, ...]:
        """The document of each pair: as said, else its id without the last part."""
        return tuple(pair.document or pair.id.rpartition(":")[0] or self.name for pair in self.pairs)

    def material(self, outputs: Iterable[str]) -> Material:
        return Material(
            sources=tuple(pair.source.text for pair in self.pairs),
            outputs=tuple(outputs),
            references=tuple(pair.target for pair in self.pairs),
            ids=tuple(pair.id for pair in self.pairs),
            source_language=self.source_language,
            target_language=self.target_language,
        )


def load_testset(spec: str, source: str = "", target: str = "", limit: int = 0) -> TestSet:
    """The first `limit` segments (0: all); languages are needed where the file does not say them."""
    path = Path(spec)
    if spec == "bundled":
        path = _bundled(source, target)
        pairs, name = _read(path, source, target), "bundled"
    elif path.is_file():
        pairs, name = _read(path, source, target), path.stem
    elif _NAME.fullmatch(spec) and path.suffix.lower() not in READERS:
        pairs, name = _from_datasets(spec, source, target), spec
    else:
        raise InputError(
            f"no test set {spec!r}: neither a file, nor 'bundled', nor the name of a data set (owner/name)"
        )
    chosen = [pair for number, pair in enumerate(pairs) if not limit or number < limit]
    return _testset(name, chosen, source, target, str(path) if path.is_file() else spec)


def _bundled(source: str, target: str) -> Path:
    pair = f"{base_language(source or 'en')}-{base_language(target or 'pt')}"
    there = {path.name.split(".")[1]: path for path in sorted(SAMPLES.glob("testset.*.jsonl"))}
    if pair not in there:
        raise ConfigError(f"no bundled test set for {pair}; there are {', '.join(there)}; else give a file")
    return there[pair]


def read_outputs(path: Path, testset: TestSet) -> tuple[str, ...]:
    """A system's outputs: text with a line a segment, or records, by id where they have the test set's."""
    if path.suffix.lower() in (".jsonl", ".json"):
        return _outputs_of_records(path, testset)
    lines = read_text(path).split("\n")
    if lines and not lines[-1]:
        lines.pop()
    if path.suffix.lower() == ".tsv":
        lines = [line.rpartition("\t")[2] for line in lines]
    _same_number(path, len(lines), testset)
    return tuple(line.rstrip("\r") for line in lines)


def _outputs_of_records(path: Path, testset: TestSet) -> tuple[str, ...]:
    texts: list[str] = []
    by_id: dict[str, str] = {}
    for number, record in read_jsonl(path):
        text = _first(record, _OUTPUTS)
        if text is None:
            raise RecordError(path, number, f"no output text; it is looked for in: {', '.join(_OUTPUTS)}")
        texts.append(text)
        if "id" in record:
            by_id[str(record["id"])] = text
    ids = [pair.id for pair in testset.pairs]
    if by_id and all(name in by_id for name in ids):
        return tuple(by_id[name] for name in ids)
    _same_number(path, len(texts), testset)
    return tuple(texts)


def _same_number(path: Path, found: int, testset: TestSet) -> None:
    if not found:
        raise InputError(f"{path}: is empty; {testset.path} has {len(testset.pairs)} segments")
    if found != len(testset.pairs):
        raise InputError(
            f"{path} has {found} lines, and {testset.path} has {len(testset.pairs)} segments; "
            f"an output file has one line for each"
        )


def _testset(name: str, pairs: list[Pair], source: str, target: str, path: str) -> TestSet:
    if not pairs:
        raise InputError(f"{path}: has no segments")
    source = source or _only({pair.source_language for pair in pairs}, path, "source", "--from")
    target = target or _only({pair.target_language for pair in pairs}, path, "target", "--to")
    seen: dict[str, int] = {}
    unique = []
    for pair in pairs:
        seen[pair.id] = seen.get(pair.id, 0) + 1
        if seen[pair.id] > 1:
            pair = replace(pair, source=replace(pair.source, id=f"{pair.id}#{seen[pair.id]}"))
        unique.append(replace(pair, source_language=source, target_language=target))
    return TestSet(name, tuple(unique), source, target, path)


def _only(languages: set[str], path: str, side: str, flag: str) -> str:
    if len(languages) == 1 and "" not in languages:
        return languages.pop()
    raise ConfigError(f"{path}: does not say its {side} language; give it with {flag}")


def _read(path: Path, source: str, target: str) -> Iterator[Pair]:
    reader = READERS.get(path.suffix.lower())
    if reader is None:
        raise InputError(f"{path}: not a test set by its name; valid endings: {', '.join(READERS)}")
    for number, record in reader(path, source, target):
        yield _pair(path, number, record, source, target)


def _pair(path: Path | str, number: int, record: Mapping[str, object], source: str, target: str) -> Pair:
    nested = record.get("translation")
    text, reference = _first(record, SOURCES), _first(record, _TARGETS)
    if isinstance(nested, Mapping):
        text, reference = _first(nested, (source,)), _first(nested, (target,))
    elif text is None and source:
        text, reference = _first(record, (source,)), _first(record, (target,))
    if text is None:
        wanted = ", ".join([*SOURCES, *([source] if source else [])])
        raise RecordError(path, number, f"no source text; it is looked for in: {wanted}")
    name = next((str(record[key]) for key in _IDS if record.get(key) not in (None, "")), "")

    def said(key: str) -> str:
        value = record.get(key, "")
        return value if isinstance(value, str) else ""

    text, reference = _turned(
        path, number, (text, reference or ""), (said("src_lang"), said("tgt_lang")), source, target
    )
    return Pair(
        Segment(name or f"{Path(path).stem}:{number}", text), reference,
        said("src_lang"), said("tgt_lang"), said("origin"),
        said("licence") or said("license"), said("document"),
    )  # fmt: skip


def _turned(
    path: Path | str, number: int, texts: tuple[str, str], said: tuple[str, str], source: str, target: str
) -> tuple[str, str]:
    """The two sides in the direction asked for; one file serves both."""
    own, asked = [base_language(code) for code in said], [base_language(source), base_language(target)]
    if not all(own) or all(not want or want == have for want, have in zip(asked, own, strict=True)):
        return texts
    if all(not want or want == have for want, have in zip(asked, reversed(own), strict=True)):
        if not texts[1].strip():
            raise RecordError(path, number, f"has no {asked[0]} text to translate from")
        return texts[1], texts[0]
    raise RecordError(path, number, f"is {own[0]}-{own[1]}; asked for is {asked[0] or '?'}-{asked[1] or '?'}")


def _first(record: Mapping[str, object], keys: Iterable[str]) -> str | None:
    for key in keys:
        value = record.get(key)
        if isinstance(value, str):
            return value
    return None


def _from_datasets(spec: str, source: str, target: str) -> Iterator[Pair]:
    found = _NAME.fullmatch(spec)
    if found is None:
        raise InputError(f"no data set by the name {spec!r}; a name is owner/name[:config][@split]")
    try:
        import datasets
    except ImportError:
        raise MissingExtraError(f"fetching {spec}", "train") from None
    try:
        rows = datasets.load_dataset(found["name"], found["config"], split=found["split"] or "test")
    except Exception as error:  # a hub, its cache and its scripts fail in many ways, none of them ours
        raise InputError(
            f"test set {spec!r} cannot be fetched ({type(error).__name__}): give a file instead, "
            f"--testset FILE.jsonl (or .tsv, .tmx, .parquet), with the same content"
        ) from None
    for number, record in enumerate(rows, 1):
        yield _pair(spec, number, record, source, target)
