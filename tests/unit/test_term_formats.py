from __future__ import annotations

import subprocess
import sys
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.errors import InputError, TermbaseError
from terminology.files import load_termbase, save_termbase
from terminology.formats.delimited import escaped, unescaped
from terminology.termbase import CaseRule, Status, Term, Termbase, Variant

HOLD = Term(
    "c7",
    "hold",
    (Variant("suspender"), Variant("interromper", Status.ADMITTED), Variant("segurar", Status.FORBIDDEN)),
    part_of_speech="verb",
    domain="medication",
    note="of a drug; <b> & 'so'",
    priority=2,
)
FULL = Termbase(
    "full",
    "en",
    "pt-BR",
    (
        HOLD,
        Term("c8", "US", (Variant("EUA"),), case=CaseRule.EXACT),
        Term("c9", "MedLoop", (), keep=True),
        Term("c10", "-itis", (Variant("=SUM(A1)"), Variant("'+x", Status.ADMITTED))),
        Term("c11", 'a|b, "c" d', (Variant("ó;x"),)),
        Term("c12", "فحص", (Variant("检查"),)),
    ),
)


def write(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.write_bytes(text.encode())
    return path


def bare(termbase: Termbase) -> list[Term]:
    return [replace(term, origin="") for term in termbase.terms]


@pytest.mark.parametrize("ending", [".csv", ".tsv", ".tbx", ".jsonl", ".xlsx"])
def test_what_is_written_reads_back_the_same(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"full{ending}"
    save_termbase(path, FULL)
    loaded = load_termbase(path)
    assert bare(loaded.termbase) == list(FULL.terms)
    assert (loaded.termbase.source_language, loaded.termbase.target_language) == ("en", "pt-BR")
    assert (loaded.skipped, loaded.conflicts) == ((), ())


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.csv", "source,target,status\nhold,suspender,preferred\nhold,segurar,do not use\n"),
        ("b.csv", "English;pt-BR;Forbidden;Notes\nhold;suspender;segurar;\n"),
        ("c.tsv", "en\tpt\tstatus\r\nhold\tsuspender\t\r\nhold\tsegurar\tdeprecated\r\n"),
        (
            "d.jsonl",
            '{"source": "hold", "targets": ["suspender", {"text": "segurar", "status": "forbidden"}]}\n',
        ),
        ("e.jsonl", '{"src": "hold", "tgt": "suspender", "forbidden": "segurar", "src_lang": "en"}\n'),
        ("f.csv", '\ufeffen,pt,status\n"hold",suspender,\n\nhold,segurar,Prohibited\n'),
    ],
)
def test_ways_to_write_a_table(tmp_path: Path, name: str, text: str) -> None:
    termbase = load_termbase(write(tmp_path, name, text), "en", "pt").termbase
    assert [(t.source, t.allowed, t.forbidden) for t in termbase.terms] == [
        ("hold", ("suspender",), ("segurar",))
    ]


TBX2 = """<?xml version="1.0"?>
<!DOCTYPE martif SYSTEM "TBXcoreStructV02.dtd">
<martif type="TBX" xml:lang="en"><martifHeader/><text><body>
<termEntry id="e1"><descrip type="subjectField">medication</descrip>
 <langSet xml:lang="en"><ntig><termGrp><term>hold</term>
  <termNote type="partOfSpeech">verb</termNote></termGrp></ntig></langSet>
 <langSet xml:lang="pt"><tig><term>suspender</term></tig>
  <tig><term><hi>seg</hi>urar</term>
   <termNote type="administrativeStatus">supersededTerm-admn-sts</termNote></tig></langSet>
</termEntry></body></text></martif>"""
TBX3_DCT = """<tbx type="TBX-Basic" style="dct" xml:lang="en" xmlns="urn:iso:std:iso:30042:ed-2"
 xmlns:min="http://www.tbxinfo.net/ns/min" xmlns:basic="http://www.tbxinfo.net/ns/basic"><text><body>
<conceptEntry id="e1"><min:subjectField>medication</min:subjectField>
 <langSec xml:lang="en"><termSec><term>hold</term><min:partOfSpeech>verb</min:partOfSpeech></termSec>
 </langSec>
 <langSec xml:lang="pt"><termSec><term>suspender</term>
   <min:administrativeStatus>preferredTerm-admn-sts</min:administrativeStatus></termSec>
  <termSec><term>segurar</term><min:administrativeStatus>deprecatedTerm-admn-sts</min:administrativeStatus></termSec>
 </langSec></conceptEntry></body></text></tbx>"""


@pytest.mark.parametrize("text", [TBX2, TBX3_DCT], ids=["v2", "v3-dct"])
def test_tbx(tmp_path: Path, text: str) -> None:
    termbase = load_termbase(write(tmp_path, "a.tbx", text)).termbase
    [term] = termbase.terms
    assert (term.id, term.allowed, term.forbidden) == ("e1", ("suspender",), ("segurar",))
    assert (term.part_of_speech, term.domain) == ("verb", "medication")
    assert (termbase.source_language, termbase.target_language) == ("en", "pt")


def test_tbx_of_three_languages_wants_to_know_which(tmp_path: Path) -> None:
    text = TBX2.replace(
        "</termEntry>", '<langSet xml:lang="es"><tig><term>x</term></tig></langSet></termEntry>'
    )
    path = write(tmp_path, "a.tbx", text)
    with pytest.raises(TermbaseError, match=r"a\.tbx:4: has several languages \(en, es, pt\)"):
        load_termbase(path)
    assert load_termbase(path, "es", "en").termbase.terms[0].allowed == ("hold",)


def test_tmx_as_a_glossary(tmp_path: Path) -> None:
    text = """<tmx version="1.4"><header srclang="en"/><body><tu tuid="7">
    <tuv xml:lang="en"><seg>acute <bpt i="1">&lt;b></bpt>pain</seg></tuv>
    <tuv xml:lang="pt-BR"><seg>dor aguda</seg></tuv></tu></body></tmx>"""
    [term] = load_termbase(write(tmp_path, "a.tmx", text), "en", "pt").termbase.terms
    assert (term.id, term.source, term.allowed) == ("7", "acute pain", ("dor aguda",))


ENTRY = """<conceptEntry id="c{0}"><langSec xml:lang="en"><termSec><term>term number {0}</term></termSec>
</langSec><langSec xml:lang="pt"><termSec><term>termo número {0}</term></termSec></langSec>
<langSec xml:lang="de"><termSec><term>Begriff {0}</term><note>{1}</note></termSec></langSec></conceptEntry>
"""
READ_BIG = """
import resource, sys
from pathlib import Path
from terminology.formats.tbx import read_tbx
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
entries = sum(1 for row in read_tbx(Path(sys.argv[1]), "en", "pt"))
print(entries, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""


def test_a_big_tbx_is_streamed(tmp_path: Path) -> None:
    """20 MB in a process of its own, for memory that others have had would hide what this needs."""
    path, note, count = tmp_path / "big.tbx", "ausführlich " * 130, 10_500
    with path.open("w", encoding="utf-8") as stream:
        stream.write('<tbx type="TBX-Basic" style="dca" xml:lang="en"><text><body>\n')
        stream.writelines(ENTRY.format(number, note) for number in range(count))
        stream.write("</body></text></tbx>\n")
    assert path.stat().st_size > 20_000_000
    done = subprocess.run(
        [sys.executable, "-c", READ_BIG, str(path)], capture_output=True, text=True, check=True
    )
    entries, kilobytes = map(int, done.stdout.split())
    assert entries == count
    assert kilobytes < 8_000


BOMB = """<?xml version="1.0"?><!DOCTYPE tbx [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;">]>
<tbx><text><body><conceptEntry><langSec xml:lang="en">
<termSec><term>&b;</term></termSec></langSec></conceptEntry></body></text></tbx>"""
OUTSIDE = BOMB.replace('<!ENTITY a "ha">', '<!ENTITY a SYSTEM "file:///etc/passwd">')


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("a.csv", "source,target\nhold,suspender\n,segurar\n", r"a\.csv:3: has no source term"),
        ("a.csv", "source,target\n\nhold,\n", r"a\.csv:3: has no target"),
        ("a.csv", "source,target\nhold,a,b\n", r"a\.csv:2: has 3 cells for 2 columns"),
        ("a.csv", "source,target,status\nhold,x,maybe\n", r"a\.csv:2: status is 'maybe'; valid: preferred"),
        ("a.csv", "source,target,case\nhold,x,odd\n", r"a\.csv:2: case is 'odd'; valid: auto, exact, any"),
        ("a.csv", "source,target,priority\nhold,x,high\n", r"a\.csv:2: priority is 'high'"),
        ("a.csv", "source,target\nhold,...\n", r"a\.csv:2: holds a term without a letter or digit"),
        ("a.csv", f"source,target\n{'x' * 301},y\n", r"a\.csv:2: holds a term of 301 characters"),
        ("a.csv", "source,target\n", r"a\.csv:1: has no terms"),
        ("a.csv", "", r"a\.csv:1: has no terms"),
        ("a.csv", 'source,target\nhold,"x\n', r"a\.csv:2: not a row of a table"),
        ("a.jsonl", '{"source": "a", "target": "b"}\n{"source"\n', r"a\.jsonl:2: not JSON"),
        ("a.jsonl", '{"source": "a", "targets": 7}\n', r"a\.jsonl:1: field 'targets' is not a list"),
        ("a.tbx", "<tbx>\n<text>\n</tbx>", r"a\.tbx:3: not well-formed XML"),
        ("a.tbx", BOMB, r"a\.tbx:1: declares the entity 'a'"),
        ("a.tbx", OUTSIDE, r"a\.tbx:1: declares the entity 'a'"),
        ("a.tbx", "<tbx>" + "<x>" * 200, r"elements lie more than 100 deep"),
        ("a.tmx", "no xml", r"a\.tmx:1: not well-formed"),
        ("a.xlsx", "no zip", r"a\.xlsx:1: not an XLSX workbook"),
    ],
)
def test_bad_input_is_named(tmp_path: Path, name: str, text: str, message: str) -> None:
    with pytest.raises(TermbaseError, match=message):
        load_termbase(write(tmp_path, name, text), "en", "pt")


def test_bad_rows_can_be_skipped(tmp_path: Path) -> None:
    path = write(tmp_path, "a.csv", "source,target\nhold,suspender\n,x\nflu,gripe\n")
    loaded = load_termbase(path, "en", "pt", skip_bad=True)
    assert [term.source for term in loaded.termbase.terms] == ["hold", "flu"]
    assert [str(error) for error in loaded.skipped] == [f"{path}:3: has no source term"]


def test_a_file_that_breaks_off_is_read_up_to_there(tmp_path: Path) -> None:
    path = write(tmp_path, "a.tbx", TBX2.replace("</body></text></martif>", "<termEntry>"))
    assert [term.source for term in load_termbase(path, skip_bad=True).termbase.terms] == ["hold"]


@pytest.mark.parametrize(
    ("rows", "kinds", "forbidden"),
    [
        ("hold,suspender,\nhold,suspender,\n", ["duplicate"], ()),
        ("hold,suspender,\nhold,suspender,forbidden\n", ["contradiction"], ("suspender",)),
        ("hold,suspender,\nhold,parar,\n", ["several-preferred"], ()),
        ("hold,suspender,\nhold,parar,admitted\nflu,flu,\n", [], ()),
    ],
)
def test_conflicts_are_listed(
    tmp_path: Path, rows: str, kinds: list[str], forbidden: tuple[str, ...]
) -> None:
    loaded = load_termbase(write(tmp_path, "a.csv", f"source,target,status\n{rows}"), "en", "pt")
    assert [conflict.kind for conflict in loaded.conflicts] == kinds
    assert loaded.termbase.terms[0].forbidden == forbidden


def test_other_languages_are_passed_over(tmp_path: Path) -> None:
    path = write(tmp_path, "a.jsonl", '{"src": "flu", "tgt": "grippe", "src_lang": "en", "tgt_lang": "fr"}\n')
    with pytest.raises(TermbaseError, match="has no terms for en-pt; it has en-fr"):
        load_termbase(path, "en", "pt")


@pytest.mark.parametrize("name", ["a.docx", "missing.csv"])
def test_files_that_are_no_termbase(tmp_path: Path, name: str) -> None:
    if name == "a.docx":
        write(tmp_path, name, "")
    with pytest.raises(InputError, match=r"valid endings|No such file"):
        load_termbase(tmp_path / name)


def test_not_utf8_says_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes("source,target\nfever,febre\nheart,coração\n".encode("cp1252"))
    with pytest.raises(TermbaseError, match="save the table as 'CSV UTF-8'"):
        load_termbase(tmp_path / "a.csv")


def test_formulas_of_a_workbook_are_text(tmp_path: Path) -> None:
    path = tmp_path / "a.xlsx"
    save_termbase(path, Termbase("a", "en", "pt", (Term("1", "sum", (Variant("=1+1"),)),)))
    with zipfile.ZipFile(path) as archive:
        assert b"<f>" not in archive.read("xl/worksheets/sheet1.xml")
    assert load_termbase(path).termbase.terms[0].allowed == ("=1+1",)


@given(st.text())
def test_escaping_is_undone(cell: str) -> None:
    assert unescaped(escaped(cell)) == cell
    assert not escaped(cell).startswith(("=", "+", "-", "@", "\t", "\r"))


def test_reversed() -> None:
    terms = Termbase("b", "en", "pt", (HOLD,)).reversed().terms
    assert [(t.id, t.source, t.allowed) for t in terms] == [
        ("c7", "suspender", ("hold",)),
        ("c7.1", "interromper", ("hold",)),
    ]
