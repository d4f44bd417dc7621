"""What the native routes take and give; unknown fields are refused.

>>> TranslateRequest(text="Take 5 mg.", target="pt").source
'auto'
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

Language = Annotated[str, Field(pattern=r"^[A-Za-z]{2,4}([_-][A-Za-z0-9]{2,8})*$", max_length=20)]
Format = Literal["csv", "tsv", "tbx", "json"]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")


class TranslateRequest(_Strict):
    """One `text` or many `texts`; `private`: nothing is kept, and no outside model sees it."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"text": "Take 5 mg once daily.", "source": "en", "target": "pt"}]},
    )
    text: str | None = None
    texts: list[str] | None = None
    source: Language = "auto"
    target: Language
    model: str = Field("", max_length=100)
    glossaries: list[Annotated[str, Field(max_length=36)]] = Field(default=[], max_length=20)
    format: Literal["text", "html", "xml"] = "text"
    ignore_tags: list[Annotated[str, Field(max_length=100)]] = Field(default=[], max_length=100)
    n_best: int = Field(1, ge=1, le=10)
    enforce: bool = True
    post_edit: bool = False
    check: bool = True
    private: bool = False


class TranslatedText(BaseModel):
    """`segments`: as `translate --json` shows them."""

    text: str
    alternatives: list[str] = []
    needs_review: bool
    segments: list[dict[str, Any]]


class TranslateResponse(BaseModel):
    translations: list[TranslatedText]
    source: str
    target: str
    confidence: float | None = Field(None, description="of the detected language")
    model: str
    glossary: str = Field("", description="ids and versions of the glossaries in force")
    summary: dict[str, int]


class ModelValue(BaseModel):
    name: str
    source: str
    target: str
    licence: str
    origin: str


class LanguageValue(BaseModel):
    code: str
    name: str
    targets: list[str]


class TermValue(_Strict):
    source: str = Field(min_length=1, max_length=1024)
    target: str = Field(min_length=1, max_length=1024)


class DictionaryValue(_Strict):
    """Terms one by one, or `content` in a `format`."""

    source: Language
    target: Language
    terms: list[TermValue] = Field(default=[], max_length=100_000)
    format: Format = "csv"
    content: str = ""


class GlossaryRequest(_Strict):
    name: str = Field(min_length=1, max_length=1024)
    dictionaries: list[DictionaryValue] = Field(min_length=1, max_length=20)


class GlossaryPatch(_Strict):
    """For one dictionary: terms to add or replace, and sources of those to take out."""

    source: Language
    target: Language
    add: list[TermValue] = Field(default=[], max_length=100_000)
    remove: list[str] = Field(default=[], max_length=100_000)


class CountValue(BaseModel):
    source: str
    target: str
    terms: int


class GlossaryValue(BaseModel):
    id: str
    name: str
    shared: bool
    version: int
    dictionaries: list[CountValue]


class DocumentValue(BaseModel):
    id: str
    state: Literal["queued", "running", "done", "failed"]
    characters: int = 0
    reason: str = ""


class ProblemValue(BaseModel):
    """RFC 9457."""

    type: str
    title: str
    status: int
    detail: str
