"""How the languages say signs that a model may not know; see mt/symbols.py."""

from __future__ import annotations

# A comparison, by language.
TO_WORDS = {
    "less": {
        "en": "less than",
        "pt": "menor que",
        "es": "menor que",
        "fr": "inférieur à",
        "de": "kleiner als",
    },
    "at_most": {
        "en": "less than or equal to",
        "pt": "menor ou igual a",
        "es": "menor o igual a",
        "fr": "inférieur ou égal à",
        "de": "kleiner oder gleich",
    },
}

# From one number to another.
TO = {"en": "to", "pt": "a", "es": "a", "fr": "à", "de": "bis"}

# Greek letters stay in words, as clinical text has them too; in English where a language has no own.
GREEK = {
    "α": {"en": "alpha", "pt": "alfa", "es": "alfa"},
    "β": {"en": "beta"},
    "γ": {"en": "gamma", "pt": "gama"},
    "δ": {"en": "delta"},
    "Δ": {"en": "delta"},
    "ε": {"en": "epsilon"},
    "κ": {"en": "kappa"},
    "λ": {"en": "lambda"},
    "μ": {"en": "mu"},
    "σ": {"en": "sigma"},
    "τ": {"en": "tau"},
    "χ": {"en": "chi"},
    "ω": {"en": "omega"},
    "Ω": {"en": "ohm"},
}

FRACTIONS = {
    "½": "1/2",
    "⅓": "1/3",
    "⅔": "2/3",
    "¼": "1/4",
    "¾": "3/4",
    "⅛": "1/8",
}

# Said in words only, and left in words.
ARROWS = {
    "↑": {"en": "increased", "pt": "aumento de", "es": "aumento de", "fr": "augmentation de", "de": "erhöht"},
    "↓": {
        "en": "decreased",
        "pt": "redução de",
        "es": "reducción de",
        "fr": "diminution de",
        "de": "erniedrigt",
    },
    "→": dict.fromkeys(("en", "pt", "es", "fr", "de"), "->"),
    "~": {"en": "about", "pt": "cerca de", "es": "cerca de", "fr": "environ", "de": "etwa"},
    "≈": {"en": "about", "pt": "cerca de", "es": "cerca de", "fr": "environ", "de": "etwa"},
    "×": dict.fromkeys(("en", "pt", "es", "fr", "de"), "x"),
}
