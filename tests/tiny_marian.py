"""A real MarianMT model of a few kilobytes with random weights: for plumbing, never for quality."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

SENTENCES = [
    "Take 5 mg once daily.",
    "The patient denies fever and cough.",
    "Hold metoprolol if the heart rate is below 50.",
    "Tome 5 mg uma vez ao dia.",
    "O paciente nega febre e tosse.",
    "Suspender metoprolol se a frequência for menor que 50.",
]


def build_tiny_marian(
    folder: Path, languages: tuple[str, str] = ("en", "pt"), tokens: tuple[str, ...] = ()
) -> Path:
    """A MarianMT folder as transformers writes it; `tokens` are `>>xxx<<` marks of target languages."""
    import sentencepiece
    import torch
    import transformers

    folder.mkdir(parents=True, exist_ok=True)
    corpus = folder / "corpus.txt"
    corpus.write_text("\n".join(SENTENCES * 20), encoding="utf-8")
    sentencepiece.SentencePieceTrainer.train(
        input=str(corpus),
        model_prefix=str(folder / "source"),
        vocab_size=60,
        character_coverage=1.0,
        eos_id=0,
        unk_id=1,
        bos_id=-1,
        pad_id=-1,
        minloglevel=2,
    )
    corpus.unlink()
    (folder / "source.model").rename(folder / "source.spm")
    (folder / "source.vocab").unlink()
    shutil.copyfile(folder / "source.spm", folder / "target.spm")
    pieces = sentencepiece.SentencePieceProcessor(model_file=str(folder / "source.spm"))
    names = [pieces.id_to_piece(i) for i in range(pieces.vocab_size())] + list(tokens) + ["<pad>"]
    (folder / "vocab.json").write_text(
        json.dumps({name: i for i, name in enumerate(names)}), encoding="utf-8"
    )
    library: Any = transformers
    library.MarianTokenizer(
        source_spm=str(folder / "source.spm"),
        target_spm=str(folder / "target.spm"),
        vocab=str(folder / "vocab.json"),
        source_lang=languages[0],
        target_lang=languages[1],
    ).save_pretrained(folder)
    torch.manual_seed(3)
    config = library.MarianConfig(
        vocab_size=len(names),
        d_model=16,
        encoder_layers=1,
        decoder_layers=1,
        encoder_attention_heads=2,
        decoder_attention_heads=2,
        encoder_ffn_dim=32,
        decoder_ffn_dim=32,
        max_position_embeddings=512,
        pad_token_id=len(names) - 1,
        eos_token_id=0,
        forced_eos_token_id=0,
        decoder_start_token_id=len(names) - 1,
        scale_embedding=True,
        tie_word_embeddings=True,
    )
    library.MarianMTModel(config).save_pretrained(folder, safe_serialization=True)
    return folder
