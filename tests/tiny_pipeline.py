"""The whole loop in seconds: real stages on a few dozen pairs, a tiny model, a chat server on loopback.

In: a folder. Out: a configuration whose run ends with a release, and a home with a first model in use.

    with ChatServer() as server:
        config = write_config(tmp_path)
        prepare_home(tmp_path / "home", base)         # the first model in use is the base itself
        subprocess.run(["medloop", "pipeline", "run", config], env=server.environ(tmp_path / "home"))

Nothing in it depends on the time or on chance, so that two runs can be compared byte for byte.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from tests.tiny_marian import SENTENCES

ROOT = Path(__file__).resolve().parents[1]
SAMPLES = ROOT / "data" / "samples"
TEMPLATES = (
    ("The patient takes {} mg of enalapril every day.", "O paciente toma {} mg de enalapril todos os dias."),
    ("She has had fever for {} days.", "Ela tem febre há {} dias."),
    ("The wound of {} cm healed without infection.", "A ferida de {} cm cicatrizou sem infecção."),
    ("Come back in {} weeks with the results.", "Volte em {} semanas com os resultados."),
)
CONFIG = """\
name: tiny
source: en
target: pt
base: {base}
data:
  real:
    - {{name: sample, path: {folder}/real.jsonl, weight: 2, anchor: 0.3}}
  generation:
    writer: llm
    sentences: 24
    synthesis: {{documents: {documents}, segments_per_document: 3, concurrency: 1}}
  termbases: ["samples:termbase.en-pt.csv"]
  dev: {folder}/dev.jsonl
training:
  {{epochs: {epochs}, batch_tokens: 250, evaluations: 4, dev_segments: 4, precision: float32, threads: 1,
    learning_rate: 1.0e-3, patience: 0, max_unknown: 1.0, max_wrong_language: 1.0,
    checkpoint_seconds: 0.05, ema_decay: 0.9}}
conversion: {{quantization: float32, least_segments: 1, most_segments: 4, least_identical: 0, most_loss: 100}}
evaluation:
  sets: [{{name: domain, path: {folder}/dev.jsonl, role: domain}}]
  resamples: 100
gate:
  {{require_better_in_domain: false, require_general: false, most_additional_critical: 1000,
    most_lost_term_success: 100, slowest_factor: 1000}}
release: {{smoke: [], document: {folder}/letter.txt}}
"""


def write_config(folder: Path, base: Path, documents: int = 6, epochs: float = 3) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    lines = (SAMPLES / "training.en-pt.jsonl").read_text(encoding="utf-8").splitlines(keepends=True)
    (folder / "real.jsonl").write_text("".join(lines[:40]), encoding="utf-8")
    (folder / "dev.jsonl").write_text("".join(lines[-6:]), encoding="utf-8")
    (folder / "letter.txt").write_text("\n".join(SENTENCES[:2]), encoding="utf-8")
    path = folder / "tiny.yaml"
    text = CONFIG.format(base=base, folder=folder, documents=documents, epochs=epochs)
    path.write_text(text, encoding="utf-8")
    return path


def prepare_home(home: Path, base: Path) -> None:
    """The base, converted, as the model in use: what a candidate is compared with, and the way back."""
    from mt.config import ConvertConfig
    from mt.convert import convert
    from mt.registry import Registry

    made = home.parent / f"{home.name}-first"
    dev = home.parent / f"{home.name}-dev.jsonl"
    row = {"id": "d", "src": SENTENCES[0], "tgt": SENTENCES[3], "src_lang": "en", "tgt_lang": "pt"}
    dev.write_text(json.dumps(row) + "\n", encoding="utf-8")
    loose = ConvertConfig("float32", least_segments=1, most_segments=1, least_identical=0, most_loss=100)
    convert(base, made, loose, dev, lambda _, __: {"chrF": 0.0}, "en", "pt")
    registry = Registry(home / "models")
    registry.promote("en-pt", registry.register(made, "en", "pt"))


class ChatServer(ThreadingHTTPServer):
    """Speaks as OpenAI's do. What it writes depends on the request alone; `calls` counts the requests."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.calls = 0
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def environ(self, home: Path) -> dict[str, str]:
        return {
            **os.environ,
            "MEDLOOP_HOME": str(home),
            "OPENAI_API_KEY": "k",
            "OPENAI_BASE_URL": f"http://127.0.0.1:{self.server_address[1]}/v1",
            "MEDLOOP_LLM_MODEL": "m",
        }

    def __exit__(self, *_: object) -> None:
        self.shutdown()
        self.server_close()


class _Handler(BaseHTTPRequestHandler):
    server: ChatServer

    def do_POST(self) -> None:
        request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.calls += 1
        message = {"role": "assistant", "content": json.dumps(_answer(request["messages"]))}
        choice = {"index": 0, "message": message, "finish_reason": "stop"}
        usage = {"prompt_tokens": 10, "completion_tokens": 5}
        body = json.dumps({"model": "m", "choices": [choice], "usage": usage}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


def _answer(messages: list[dict[str, Any]]) -> dict[str, Any]:
    system, user = messages[0]["content"], messages[1]["content"]
    if system.startswith("You write"):
        seed = int(hashlib.sha256((system + user).encode()).hexdigest()[:8], 16)
        pairs = [(*TEMPLATES[(seed + n) % len(TEMPLATES)], 2 + (seed // 7 + n) % 400) for n in range(3)]
        return {
            "segments": [
                {"id": str(n), "text": source.format(k)} for n, (source, _, k) in enumerate(pairs, 1)
            ]
        }
    if system.startswith("You check"):
        return {"errors": []}
    asked = json.loads(user)["segments"]
    return {"segments": [{"id": one["id"], "text": _translated(one)} for one in asked]}


def _translated(asked: dict[str, Any]) -> str:
    text = asked.get("text") or asked["source"]
    number = next(word for word in text.split() if word.isdigit())
    return next(target.format(number) for source, target in TEMPLATES if source.format(number) == text)


_NO_CONTENT = {"complete.json", "report.html"}  # the first is about the others, the second shows them
# When it was made, where, and how fast: two runs that did the same differ in these.
_TIMED = {"created", "detail", "made", "origin", "registered", "seconds", "words_per_second"}
_HASH = re.compile(r"(?<=[a-z])-[0-9a-f]{12}(?=/)")


def artifacts(home: Path) -> dict[str, str]:
    """What a run leaves, by its content: files of the steps, and of the registry's versions.

    Steps are called without their hashes, which from the evaluation on depend on when a version was
    registered; a step done twice would stand there twice.
    """
    found: dict[str, str] = {}
    for path in sorted(home.rglob("*")):
        name = path.relative_to(home).as_posix()
        lock = name.endswith((".lock", ".holder"))
        if name.startswith("prefect/") or lock or path.is_dir() or path.name in _NO_CONTENT:
            continue
        content = path.read_bytes()
        if path.suffix == ".json":
            content = json.dumps(_timeless(json.loads(content)), sort_keys=True).encode()
        key = _HASH.sub("", name)
        found[f"{key} (again)" if key in found else key] = hashlib.sha256(content).hexdigest()
    return found


def _timeless(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _timeless(one) for key, one in value.items() if key not in _TIMED}
    return [_timeless(one) for one in value] if isinstance(value, list) else value
