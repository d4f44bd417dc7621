"""`medloop terms`: keep a termbase, find terms in a text, check translations.

    medloop terms import glossary.xlsx --base cardio --from en --to pt --by ana
    medloop terms add hold suspender --forbid segurar --base cardio --from en --to pt --by ana
    medloop terms check --glossary glossary.csv --from en --to pt source.txt target.txt
    medloop terms diff old.tbx new.csv --from en --to pt

The store is `terms.db` in MEDLOOP_HOME, or any SQLAlchemy URL by `--store` or MEDLOOP_TERMS.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from data.commands import new_app
from data.errors import InputError
from data.settings import home
from terminology.mining_cli import approve, mine, proposals, reject

if TYPE_CHECKING:
    from terminology.checking import TermCheck
    from terminology.diffing import Change
    from terminology.store import TermStore
    from terminology.termbase import LoadedTermbase, Term

app = new_app("Keep termbases, find their terms, and check translations against them.")

Base = Annotated[str, typer.Option("--base", help="Name of the termbase in the store.")]
Source = Annotated[str, typer.Option("--from", help="Source language, such as en.")]
Target = Annotated[str, typer.Option("--to", help="Target language, such as pt.")]
By = Annotated[str, typer.Option("--by", help="Your name, for the history.", envvar="USER")]
Store = Annotated[str, typer.Option("--store", help="SQLAlchemy URL of the store.", envvar="MEDLOOP_TERMS")]
Skip = Annotated[bool, typer.Option("--skip-bad-terms", help="Leave bad rows out and list them.")]
Glossaries = Annotated[list[Path], typer.Option("--glossary", help="A termbase file; the first has the say.")]


@app.command("import")
def import_file(
    file: Annotated[Path, typer.Argument(help="CSV, TSV, XLSX, TBX, TMX or JSONL.")],
    base: Base = "default",
    source: Source = "",
    target: Target = "",
    by: By = "",
    store: Store = "",
    skip_bad: Skip = False,
    replace_all: Annotated[bool, typer.Option("--replace", help="Remove terms that the file lacks.")] = False,
) -> None:
    """Bring the terms of a file into the store."""
    loaded = _load(file, source, target, skip_bad)
    terms, termbase = loaded.termbase.terms, loaded.termbase
    opened = _open(store)
    apply = opened.replace_all if replace_all else opened.put
    _tell(apply(base, termbase.source_language, termbase.target_language, terms, by))


@app.command("export")
def export_file(
    file: Annotated[Path, typer.Argument(help="CSV, TSV, XLSX, TBX or JSONL to write.")],
    base: Base = "default",
    source: Source = "",
    target: Target = "",
    store: Store = "",
) -> None:
    """Write a base of the store to a file."""
    from terminology.files import save_termbase

    termbase = _open(store).termbase(base, source, target)
    save_termbase(file, termbase)
    _note(f"{len(termbase.terms)} terms")


@app.command()
def add(
    term: Annotated[str, typer.Argument(help="The source term.")],
    targets: Annotated[list[str] | None, typer.Argument(help="Targets, the preferred one first.")] = None,
    forbid: Annotated[list[str] | None, typer.Option("--forbid", help="A target never to be used.")] = None,
    keep: Annotated[bool, typer.Option("--keep", help="Do not translate the term.")] = False,
    note: Annotated[str, typer.Option("--note", help="A note for people.")] = "",
    domain: Annotated[str, typer.Option("--domain", help="Subject field.")] = "",
    part_of_speech: Annotated[str, typer.Option("--pos", help="Part of speech, such as noun.")] = "",
    base: Base = "default",
    source: Source = "",
    target: Target = "",
    by: By = "",
    store: Store = "",
) -> None:
    """Add a term to the store, or change the one that has this source."""
    opened = _open(store)
    if not source or not target:
        found = opened.termbase(base, source, target)
        source, target = found.source_language, found.target_language
    entry = _entry(term, targets or [], forbid or [], keep)
    entry = replace(entry, note=note, domain=domain, part_of_speech=part_of_speech, id=f"{term}/{domain}")
    known = [pair for pair in opened.bases() if pair[:3] == (base, source, target)]
    terms = opened.termbase(base, source, target).terms if known else ()
    same = [old for old in terms if (old.source, old.domain) == (entry.source, domain)]
    _tell(opened.put(base, source, target, [replace(entry, id=same[0].id) if same else entry], by))


@app.command()
def remove(
    term_id: Annotated[str, typer.Argument(help="Its id, as `find` shows it.")],
    base: Base = "default",
    source: Source = "",
    target: Target = "",
    by: By = "",
    store: Store = "",
) -> None:
    """Take a term out of the store; its history stays."""
    opened = _open(store)
    found = opened.termbase(base, source, target)
    _tell(opened.remove(base, found.source_language, found.target_language, term_id, by))


@app.command()
def find(
    text: Annotated[str, typer.Argument(help="Part of a source or target term; all terms if left out.")] = "",
    base: Base = "default",
    source: Source = "",
    target: Target = "",
    store: Store = "",
) -> None:
    """Show the terms of the store that hold a text."""
    from terminology.diffing import Change

    for term in _open(store).termbase(base, source, target).terms:
        wordings = [term.source, *(variant.text for variant in term.targets)]
        if any(text.casefold() in wording.casefold() for wording in wordings):
            typer.echo(str(Change(None, term)).removeprefix("add "))


@app.command()
def history(
    term_id: Annotated[str, typer.Argument(help="Its id; the whole base if left out.")] = "",
    base: Base = "default",
    store: Store = "",
) -> None:
    """Show who changed which term when."""
    from terminology.diffing import Change

    for event in _open(store).history(base, term_id):
        typer.echo(f"{event.when:%Y-%m-%d %H:%M} {event.who}: {Change(event.before, event.after)}")


@app.command("diff")
def compare(
    old: Annotated[Path, typer.Argument(help="A termbase file.")],
    new: Annotated[Path, typer.Argument(help="Another.")],
    source: Source = "",
    target: Target = "",
    skip_bad: Skip = False,
) -> None:
    """Show how one termbase file differs from another."""
    from terminology.diffing import diff

    first, second = (_load(path, source, target, skip_bad).termbase for path in (old, new))
    for change in diff(first.terms, second.terms, by_source=True):
        typer.echo(str(change))


@app.command()
def check(
    source_file: Annotated[Path | None, typer.Argument(help="Source text, a segment a line.")] = None,
    target_file: Annotated[Path | None, typer.Argument(help="Its translation, line by line.")] = None,
    glossary: Glossaries = [],  # noqa: B006
    source: Source = "",
    target: Target = "",
    skip_bad: Skip = False,
) -> None:
    """Check a translation against termbases; without texts, check the termbases themselves."""
    from terminology.checking import check as check_segment
    from terminology.checking import inconsistencies
    from terminology.matching import TermMatcher

    loaded = [_load(path, source, target, skip_bad) for path in glossary]
    if not loaded:
        raise InputError("nothing to check against: name a termbase with --glossary FILE")
    if source_file is None or target_file is None:
        typer.echo(f"{sum(len(one.termbase.terms) for one in loaded)} terms")
        return
    matcher = TermMatcher([one.termbase for one in loaded])
    checks = [
        (str(number), check_segment(matcher, first, second))
        for number, (first, second) in enumerate(_pairs(source_file, target_file), start=1)
    ]
    for number, checked in checks:
        for problem in _problems(checked):
            typer.echo(f"{target_file}:{number}: {problem}")
    for found in inconsistencies(checks):
        listed = "; ".join(f"{text} (lines {', '.join(lines)})" for text, lines in found.uses)
        typer.echo(f"{target_file}: {found.source!r} is not always the same: {listed}")
    total = sum(len(checked.statuses) for _, checked in checks)
    _note(f"{total} terms required, {sum(len(checked.missing) for _, checked in checks)} missing")


def _problems(checked: TermCheck) -> Iterator[str]:
    for status in checked.missing:
        yield f"{status.match.term.source!r} must be {' or '.join(map(repr, status.match.allowed))}"
    for use in checked.forbidden:
        yield f"{use.variant!r} is forbidden for {use.match.term.source!r}"


def _pairs(source: Path, target: Path) -> Iterator[tuple[str, str]]:
    try:
        sides = [path.read_text(encoding="utf-8").splitlines() for path in (source, target)]
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"cannot read the texts: {error}") from None
    shorter = min(map(len, sides))
    if shorter != max(map(len, sides)):
        raise InputError(f"{source} and {target} differ in length: one ends before line {shorter + 1}")
    yield from zip(*sides, strict=True)


def _load(path: Path, source: str, target: str, skip_bad: bool) -> LoadedTermbase:
    from terminology.files import load_termbase

    loaded = load_termbase(path, source, target, skip_bad)
    for problem in (*loaded.skipped, *loaded.conflicts):
        _note(str(problem))
    return loaded


def _entry(term: str, targets: list[str], forbidden: list[str], keep: bool) -> Term:
    """The same checks as for a row of a file."""
    from terminology.formats.rows import TermRow
    from terminology.termbase import Status, Variant
    from terminology.validation import checked

    row = TermRow(
        0, term, targets[0] if targets else "", forbidden="|".join(forbidden), keep="yes" if keep else ""
    )
    entry, variants = checked("command line", row)
    variants[1:1] = [Variant(text, Status.ADMITTED) for text in targets[1:]]
    return replace(entry, targets=tuple(variants))


def _open(url: str) -> TermStore:
    from terminology.store import TermStore

    if not url:
        home().mkdir(parents=True, exist_ok=True)
        url = f"sqlite:///{home() / 'terms.db'}"
    return TermStore(url)


def _tell(changes: list[Change]) -> None:
    for change in changes:
        typer.echo(str(change))
    _note(f"{len(changes)} changes")


def _note(line: str) -> None:
    typer.echo(line, err=True)


for command in (mine, proposals, approve, reject):
    app.command()(command)
