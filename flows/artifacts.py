"""What Prefect's page shows of a run: tables of scores, the way to the report, the gate's reasons.

In: results of the stages. Out: artifacts named after the pipeline, of which Prefect keeps the history.

    show_scores(run, scores); show_release(run, released, verdict)
"""

from __future__ import annotations

import re
from typing import Any

from prefect.artifacts import create_link_artifact, create_markdown_artifact, create_table_artifact

from flows.judging import NEW, OLD, REPORT, Released, decision, evaluations
from flows.run import Run
from flows.step_folders import Done


def show_scores(run: Run, scores: Done) -> None:
    for role, evaluation in evaluations(run, scores).items():
        rows: list[dict[str, Any]] = []
        for metric in evaluation.metrics:
            values = {one.name: one.value(metric) for one in evaluation.systems}
            rows.append(
                {"metric": metric}
                | {name: None if value is None else round(value, 2) for name, value in values.items()}
            )
        counts = {one.name: one.critical for one in evaluation.systems}
        rows.append({"metric": "critical findings", **counts})
        create_table_artifact(rows, key=_key(run, f"{role}-scores"), description=f"{OLD} and {NEW}: {role}")


def show_release(run: Run, found: Released, verdict: Done) -> None:
    reasons = decision(verdict)["reasons"]
    lines = [
        f"- {'passed' if one['passed'] else '**failed**'} {one['rule']}: {one['detail']}" for one in reasons
    ]
    lines += [f"- {reason}" for reason in found.reasons if found.state == "rolled-back"]
    text = f"# {found.state}: {found.version}\n\n" + "\n".join(lines)
    create_markdown_artifact(text, key=_key(run, "gate"), description="why")
    page = (verdict.folder / REPORT).absolute()
    create_link_artifact(page.as_uri(), link_text=page.name, key=_key(run, "report"))


def _key(run: Run, name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", f"{run.pipeline.name}-{name}".lower()).strip("-")
