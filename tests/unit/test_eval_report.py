"""The whole way from two systems to the page, and the page in a real browser, with hostile text in it."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from data.segments import Segment
from eval import charts, report
from eval.gate import Policy, decide
from eval.language import wrong_language
from eval.report import chosen_segments, html, markdown_cell, model_card, write_report
from eval.results import Evaluation, load_evaluation
from eval.run import Plan, evaluate
from eval.scores import Unmeasured
from eval.significance import Outcome, Resampling
from eval.surface import surface_metrics
from eval.systems import Outputs, System
from eval.testsets import TestSet, load_testset
from terminology.termbase import Term, Termbase, Variant

EVIL = (
    "</script><script>document.title='owned'</script><img src=x onerror=\"document.title='owned'\"> & 😀 5 mg"
)
BASE = Termbase("g", "en", "pt", (Term("1", "patients", (Variant("pacientes"),)),))


@pytest.fixture(scope="module")
def testset() -> TestSet:
    return load_testset("bundled", limit=60)


@pytest.fixture(scope="module")
def evaluation(testset: TestSet) -> Evaluation:
    good = tuple(pair.target for pair in testset.pairs)
    bad = (*(" ".join(text.split()[:-2]) for text in good[:-1]), EVIL)
    outputs = [
        Outputs(System("<b>bad</b>", "file", "bad.txt"), bad),
        Outputs(System("good", "file", "g"), good),
    ]
    training = (Segment("c1", testset.pairs[0].source.text), Segment("c2", "Something else entirely."))
    plan = Plan(
        metrics=tuple(surface_metrics()), termbases=(BASE,), training=training, resampling=Resampling(200)
    )
    return evaluate(testset, outputs, plan)


def test_an_evaluation_holds_what_was_asked(evaluation: Evaluation) -> None:
    assert evaluation.metrics[:5] == ("BLEU", "chrF2++", "TER", "ROUGE-L", "METEOR")
    found = evaluation.comparison("chrF2++", "<b>bad</b>", "good")
    assert found is not None
    assert found.outcome is Outcome.BETTER
    good = evaluation.system("good")
    assert good.value("BLEU") == pytest.approx(100)
    assert all(score.low <= score.value <= score.high for score in good.scores)
    assert "seed:12345" in evaluation.signature
    assert evaluation.main_metric == "chrF2++"


def test_overlap_is_reported_and_scored_apart(evaluation: Evaluation, testset: TestSet) -> None:
    contamination = evaluation.system("good").contamination
    assert contamination is not None
    assert (contamination.exact, contamination.near) == (1, 0)
    assert contamination.ids == (testset.pairs[0].id,)
    assert evaluation.clean_segments == 59
    [score] = [score for score in evaluation.system("good").clean_scores if score.name == "BLEU"]
    assert score.signature.endswith("segments:60|clean-segments:59")


def test_what_was_not_measured_is_named(evaluation: Evaluation) -> None:
    names = {one.name: one for one in evaluation.not_measured}
    assert names["LLM judge"].enable == "medloop eval ... --judge MODEL"
    assert "BLEU" not in names


def test_all_files_are_written_and_come_back(evaluation: Evaluation, tmp_path: Path) -> None:
    page = write_report(evaluation, tmp_path / "out")
    assert sorted(path.name for path in page.parent.iterdir()) == [
        "model-card.md",
        "report.html",
        "results.json",
    ]
    assert load_evaluation(tmp_path / "out") == evaluation
    assert page.stat().st_size < 2_000_000


def test_text_is_never_markup(evaluation: Evaluation) -> None:
    page = html(evaluation)
    assert "document.title=&#39;owned&#39;" not in page.split("<script", 1)[0]
    assert "<b>bad</b>" not in page
    assert EVIL not in page
    [data] = re.findall(r'<script type="application/json" id="explorer-data">(.*?)</script>', page, re.DOTALL)
    assert json.loads(data)["segments"][-1]["out"][0]["t"] == EVIL
    assert not re.findall(r'(?:src|href)="https?:', page)


def test_a_gate_decision_stands_on_top(evaluation: Evaluation) -> None:
    decision = decide(evaluation, evaluation, "<b>bad</b>", "good", Policy())
    page = html(evaluation, decision)
    assert page.index("REJECT") < page.index("Systems</h2>")
    assert "general-contamination" in page


def test_model_card_is_a_table_that_no_text_breaks(evaluation: Evaluation) -> None:
    card = model_card(evaluation)
    rows = [line for line in card.splitlines() if line.startswith("|")]
    assert len(rows) == 4
    assert len({line.replace("\\|", "").count("|") for line in rows}) == 1
    assert "&lt;b&gt;bad" in card
    assert markdown_cell("a|b\n`c`") == "a\\|b \\`c\\`"


def test_a_huge_set_keeps_critical_and_worst_segments(evaluation: Evaluation, testset: TestSet) -> None:
    critical = [
        s for s in evaluation.segments if any(f.severity == "critical" for o in s.outputs for f in o.findings)
    ]
    kept = chosen_segments(evaluation, most=len(critical) + 3)
    assert len(kept) == len(critical) + 3 < len(evaluation.segments)
    assert critical
    assert {segment.id for segment in critical} == {segment.id for segment in kept[:-3]}
    assert chosen_segments(evaluation, most=60) == list(evaluation.segments)


def test_charts_are_measured_in_a_real_font(evaluation: Evaluation) -> None:
    drawn = charts.charts(evaluation)
    assert [chart.title for chart in drawn][:2] == ["BLEU", "chrF2++"]
    assert {"scores", "terms", "length"} <= {chart.section for chart in drawn}
    assert all(chart.spec["config"]["font"].startswith("system-ui") for chart in drawn)
    assert "</script" not in charts.library()


def test_one_system_and_no_references(testset: TestSet) -> None:
    outputs = [Outputs(System("a", "file", "a"), tuple("Tome 5 mg." for _ in testset.pairs))]
    plan = Plan(
        metrics=tuple(surface_metrics()), reference_free=True, resampling=Resampling(100),
        back_translate=lambda texts: ["Take 5 mg." for _ in texts], back_model="pt-en",
    )  # fmt: skip
    found = evaluate(testset, outputs, plan)
    assert found.metrics == ("round trip", "critical segments", "flagged segments")
    assert found.main_metric == "round trip"
    assert all(segment.outputs[0].low_round_trip for segment in found.segments)
    assert found.comparisons == ()
    assert "nothing to compare" in html(found)


class Refusing:
    name = "COMET"

    def score(self, material: object) -> None:
        raise Unmeasured("COMET", "no checkpoint", "hf download X")


def test_a_metric_that_is_missing_is_in_the_page(testset: TestSet) -> None:
    outputs = [
        Outputs(System(name, "file", name), tuple(p.target for p in testset.pairs)) for name in ("a", "b")
    ]
    found = evaluate(testset, outputs, Plan(metrics=(Refusing(),), resampling=Resampling(100)))  # type: ignore[arg-type]
    [gap] = [one for one in found.not_measured if one.name == "COMET"]
    assert (gap.reason, gap.enable, gap.system) == ("no checkpoint", "hf download X", "a, b")
    assert "hf download X" in html(found)


@pytest.mark.parametrize(
    ("texts", "language", "warned"),
    [
        (["The patient denies any allergies and takes no medicine at home."] * 3, "pt", True),
        (["O paciente nega alergias e não toma nenhum medicamento em casa."] * 3, "pt-BR", False),
        (["mg"], "pt", False),
        (["O paciente nega alergias e não toma nenhum medicamento em casa."], "tlh", False),
    ],
)
def test_a_wrong_language_is_warned_of(texts: list[str], language: str, warned: bool) -> None:
    found = wrong_language("b.txt", texts, language)
    assert (found is not None) == warned
    if found:
        assert found.startswith("b.txt looks like en, not pt")


def browser() -> str:
    found = shutil.which("chromium") or shutil.which("google-chrome")
    if found is None:
        pytest.skip("no Chromium here: apt-get install chromium")
    return found


def visit(page: Path, folder: Path, *flags: str) -> str:
    """The document after its scripts have run."""
    command = [
        browser(), "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
        f"--user-data-dir={folder / 'profile'}", "--virtual-time-budget=8000", *flags, f"file://{page}",
    ]  # fmt: skip
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False).stdout


@pytest.mark.slow
def test_a_real_browser_draws_the_page_and_runs_nothing_of_the_text(
    evaluation: Evaluation, tmp_path: Path
) -> None:
    hostile = replace(evaluation, testset="<i>set</i>", segments=evaluation.segments[-1:])
    page = write_report(hostile, tmp_path)
    document = visit(page, tmp_path, "--dump-dom")
    assert "data-failed" not in document
    assert f'data-drawn="{len(charts.charts(hostile))}"' in document
    assert document.count("<svg") >= len(charts.charts(hostile))
    assert "<title>owned" not in document
    assert "&lt;img src=x onerror" in document  # the text is on the page, as text
    assert document.count('class="segment"') >= 1
    assert "<mark" in document


@pytest.mark.slow
@pytest.mark.parametrize("width", [1280, 420])
def test_a_screenshot_is_a_page_and_not_blank(evaluation: Evaluation, tmp_path: Path, width: int) -> None:
    page = write_report(evaluation, tmp_path)
    picture = tmp_path / "page.png"
    visit(page, tmp_path, f"--screenshot={picture}", f"--window-size={width},1600")
    assert picture.stat().st_size > 40_000


def test_templates_are_in_the_package() -> None:
    names = {path.name for path in (Path(report.__file__).parent / "templates").iterdir()}
    assert {"report.html.j2", "report.css", "report.js", "model-card.md.j2"} <= names
