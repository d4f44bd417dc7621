from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from data.errors import ConfigError, InputError
from terminology.cli import app
from terminology.diffing import diff
from terminology.store import TermStore, dumped_term, loaded_term
from terminology.termbase import CaseRule, Status, Term, Variant

FLU = Term("1", "flu", (Variant("gripe"), Variant("influenza", Status.FORBIDDEN)), CaseRule.EXACT, note="n")
HOLD = Term("2", "hold", (Variant("suspender"),))


@pytest.fixture
def store(tmp_path: Path) -> TermStore:
    return TermStore(f"sqlite:///{tmp_path / 'terms.db'}")


def test_terms_go_in_and_come_out(store: TermStore) -> None:
    store.put("b", "en", "pt", [FLU, HOLD], "ana")
    termbase = store.termbase("b")
    assert (termbase.terms, termbase.source_language, termbase.target_language) == ((FLU, HOLD), "en", "pt")
    assert store.bases() == [("b", "en", "pt", 2)]


def test_history_tells_who_changed_what(store: TermStore) -> None:
    changed = replace(FLU, targets=(Variant("influenza"),))
    store.put("b", "en", "pt", [FLU], "ana")
    store.put("b", "en", "pt", [FLU], "rui")  # nothing changes, nothing is written
    store.put("b", "en", "pt", [changed], "rui")
    told = [(event.who, event.action, event.before, event.after) for event in store.history("b", "1")]
    assert told == [("ana", "add", None, FLU), ("rui", "change", FLU, changed)]


def test_remove_and_replace(store: TermStore) -> None:
    store.put("b", "en", "pt", [FLU, HOLD], "ana")
    store.remove("b", "en", "pt", "1", "eva")
    assert store.termbase("b").terms == (HOLD,)
    assert [change.action for change in store.replace_all("b", "en", "pt", [FLU], "eva")] == ["add", "remove"]
    with pytest.raises(InputError, match="has no term '9'"):
        store.remove("b", "en", "pt", "9", "eva")


def test_row_numbers_of_another_file_do_not_overwrite(store: TermStore) -> None:
    store.put("b", "en", "pt", [FLU, HOLD], "ana")
    store.put(
        "b", "en", "pt", [replace(HOLD, id="1", note="new"), Term("2", "fever", (Variant("febre"),))], "ana"
    )
    found = {term.source: (term.id, term.note) for term in store.termbase("b").terms}
    assert found == {"flu": ("1", "n"), "hold": ("2", "new"), "fever": ("2.1", "")}


def test_what_is_not_there_says_what_is(store: TermStore) -> None:
    store.put("b", "en", "pt", [FLU], "ana")
    store.put("b", "en", "es", [FLU], "ana")
    with pytest.raises(InputError, match=r"no base 'c' .*there are: b \(en-es\), b \(en-pt\)"):
        store.termbase("c")
    with pytest.raises(InputError, match="several pairs"):
        store.termbase("b")
    with pytest.raises(ConfigError, match="needs a name"):
        store.put("b", "en", "pt", [HOLD], " ")


def test_a_bad_url_is_told_without_its_password() -> None:
    with pytest.raises(ConfigError, match="cannot open the term store") as error:
        TermStore("nosuch://user:secret@host/db")
    assert "secret" not in str(error.value)


def test_json_keeps_every_field() -> None:
    assert loaded_term(dumped_term(FLU)) == FLU


def test_diff_by_source() -> None:
    new = [replace(FLU, id="77"), replace(HOLD, targets=(Variant("parar"),))]
    assert [str(change) for change in diff([FLU, HOLD], new, by_source=True)] == [
        "change 2 hold: suspender -> parar"
    ]


def run(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, list(arguments))
    return result.exit_code, result.stdout


def test_commands(tmp_path: Path) -> None:
    base = ["--base", "b", "--from", "en", "--to", "pt", "--store", f"sqlite:///{tmp_path / 'x.db'}"]
    assert run("add", "hold", "suspender", "--forbid", "segurar", *base, "--by", "ana")[0] == 0
    glossary = tmp_path / "more.csv"
    glossary.write_text("source,target\nflu,gripe\n", encoding="utf-8")
    assert run("import", str(glossary), *base, "--by", "rui")[1] == "add 1 flu: gripe\n"
    assert run("find", "gri", *base)[1] == "1 flu: gripe\n"
    assert run("export", str(tmp_path / "out.tbx"), *base)[0] == 0
    code, text = run("diff", str(glossary), str(tmp_path / "out.tbx"), "--from", "en", "--to", "pt")
    assert (code, text) == (0, "add hold/ hold: suspender, !segurar\n")
    assert run("remove", "1", *base, "--by", "eva")[0] == 0
    told = run("history", "--base", "b", "--store", base[-1])[1]
    assert [line.split(" ", 2)[2].split(":")[0] for line in told.splitlines()] == ["ana", "rui", "eva"]


def test_check_command(tmp_path: Path) -> None:
    for name, text in (
        ("s", "Hold it.\nflu\n"),
        ("t", "Pare.\ngripe\n"),
        ("g.csv", "en,pt\nhold,suspender\nflu,gripe\n"),
    ):
        (tmp_path / name).write_text(text, encoding="utf-8")
    code, text = run("check", str(tmp_path / "s"), str(tmp_path / "t"), "--glossary", str(tmp_path / "g.csv"))
    assert (code, text) == (0, f"{tmp_path / 't'}:1: 'hold' must be 'suspender'\n")
