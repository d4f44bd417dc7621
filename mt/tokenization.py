"""Sentences to the model's pieces and back, in batch calls into SentencePiece.

    tokenizer = Tokenizer.load(folder, language_token="")
    tokenizer.encode(["Take 5 mg."])      # [["▁Take", "▁5", "▁mg", ".", "</s>"]]
    tokenizer.decode([["▁Tome", "▁5", "▁mg", "."]])   # ["Tome 5 mg."]

Markers that a user happens to type ("</s>", "<unk>") are text: SentencePiece splits them like any other.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from data.errors import ModelError
from data.segments import Span

END = "</s>"


def piece_spans(processor: Any, text: str) -> list[Span]:
    """The characters of the text that each of its pieces covers. ("proto" would need protobuf installed.)"""
    offsets = processor.encode(text, return_type="offset_mapping")["offsets"]
    return [Span(start, end) for start, end in offsets]


@dataclass(frozen=True, slots=True)
class Tokenizer:
    """`language_token` (">>por<<") stands before every source of a model with several target languages."""

    source: Any
    target: Any
    language_token: str = ""

    @classmethod
    def load(cls, folder: Path, language_token: str = "") -> Tokenizer:
        import sentencepiece

        sides = []
        for name in ("source.spm", "target.spm"):
            try:
                sides.append(sentencepiece.SentencePieceProcessor(model_file=str(folder / name)))
            except (OSError, RuntimeError):
                raise ModelError(f"{folder / name}: missing or damaged SentencePiece model") from None
        return cls(sides[0], sides[1], language_token)

    def encode(self, sentences: Sequence[str]) -> list[list[str]]:
        """Source pieces with the end mark that Marian models are trained with."""
        rows: list[list[str]] = self.source.encode(list(sentences), out_type=str)
        for row in rows:
            row.append(END)
        if self.language_token:
            rows = [[self.language_token, *row] for row in rows]
        return rows

    def count(self, sentences: Sequence[str]) -> list[int]:
        """Source pieces of each sentence, marks not counted."""
        return [len(row) for row in self.source.encode(list(sentences), out_type=int)]

    def word_score(self, word: str) -> float:
        """How common the model's vocabulary takes a word of the source to be; of no piece, minus infinity."""
        number = self.source.piece_to_id(f"▁{word}")
        known = number != self.source.unk_id()
        return float(self.source.get_score(number)) if known else float("-inf")

    def knows(self, character: str) -> bool:
        """Whether the vocabulary of the source has a character."""
        return self.source.unk_id() not in self.source.encode(character)

    def encode_target(self, sentences: Sequence[str]) -> list[list[str]]:
        rows: list[list[str]] = self.target.encode(list(sentences), out_type=str)
        return rows

    def target_pieces(self, text: str) -> list[str]:
        """One text: for a list SentencePiece starts threads, which takes a hundred times as long."""
        pieces: list[str] = self.target.encode(text, out_type=str)
        return pieces

    def decode(self, rows: Sequence[Sequence[str]]) -> list[str]:
        texts: list[str] = self.target.decode([list(row) for row in rows])
        return texts
