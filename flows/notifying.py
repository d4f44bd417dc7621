"""A message to where people look, when a release is rejected or a run fails. No text of a patient is in it.

In: a pipeline, what happened, the reasons. Out: one HTTP POST of JSON, or nothing where no hook is set.

    notify(pipeline, "rejected", ("domain-quality: BLEU +0.1, not significant",))
    # {"pipeline": "starter.en-pt", "event": "rejected", "reasons": ["domain-quality: ..."], "text": "..."}

The address is `operation.webhook` or MEDLOOP_WEBHOOK; `text` is what Slack, Teams and Mattermost show. A hook
that does not answer is a warning, never the end of a run.
"""

from __future__ import annotations

import json
import logging
import os
import urllib.request
from collections.abc import Sequence

from flows.config import Pipeline

log = logging.getLogger(__name__)
_SECONDS = 10


def notify(pipeline: Pipeline, event: str, reasons: Sequence[str] = ()) -> bool:
    address = pipeline.operation.webhook or os.environ.get("MEDLOOP_WEBHOOK", "")
    if not address:
        return False
    text = f"{pipeline.name}: {event}" + "".join(f"\n- {reason}" for reason in reasons)
    message = {"pipeline": pipeline.name, "event": event, "reasons": list(reasons), "text": text}
    request = urllib.request.Request(
        address, json.dumps(message).encode(), {"Content-Type": "application/json"}
    )
    try:
        with urllib.request.urlopen(request, timeout=_SECONDS):
            return True
    except (OSError, ValueError) as error:
        log.warning("the webhook did not take the message (%s)", type(error).__name__)
        return False
