"""The medicines of a termbase, for the clinical checks: the client's name for one is no other medicine.

In: termbases. Out: a `NameTable` of the terms that name a medicine, or nothing where none does.

>>> base = Termbase("b", "en", "pt", (Term("1", "metformin", (Variant("glifage"),)),))
>>> sorted(medicine_names([base]).names)
['en', 'pt']

Without it *metformin = glifage* would be a lost medicine to the checks. Terms that name none are left out,
for their absence is no matter of medicines.
"""

from __future__ import annotations

from collections.abc import Sequence

from data.checks.drugs import is_medicine
from data.clinical import NameTable, name_table
from terminology.inflection import base_language
from terminology.termbase import Termbase


def medicine_names(termbases: Sequence[Termbase]) -> NameTable | None:
    rows = [
        (
            f"{base.name}:{term.id}",
            {
                base_language(base.source_language): [term.source],
                base_language(base.target_language): term.allowed,
            },
        )
        for base in termbases
        for term in base.terms
        if is_medicine(term.source) or any(is_medicine(text) for text in term.allowed)
    ]
    return name_table(rows) if rows else None
