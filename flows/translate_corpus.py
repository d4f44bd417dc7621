"""Flow: a corpus of any size translated, here or on a cluster.

In: a JSONL or parquet file (`src` in each record), languages, a model. Out: the same records with `tgt`.

    translate_corpus("mono.jsonl", "mono.pt.jsonl", "en", "pt", cluster="auto")
"""

from __future__ import annotations

from pathlib import Path

from prefect import flow, task
from prefect.cache_policies import NO_CACHE

from flows.bulk import TranslateBlocks, run_blocks

translate = task(name="translate-blocks", persist_result=False, cache_policy=NO_CACHE)(run_blocks)


@flow(name="translate-corpus", validate_parameters=False)
def translate_corpus(
    corpus: str, out: str, source: str = "en", target: str = "pt", model: str = "", cluster: str = ""
) -> int:
    """Translate a corpus.

    Args:
        corpus: a JSONL or parquet file, local or anywhere fsspec reaches
        out: the JSONL file to write
        source: language of the corpus
        target: language to translate into
        model: an installed model, a folder, or a hub name
        cluster: empty for this machine; local, auto or ray://HOST:PORT
    """
    count: int = translate(TranslateBlocks(source, target, model), corpus, Path(out), cluster)
    return count
