"""Sentence borders in clinical writing: a table checked by hand, and what holds for any text."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mt.sentences import base_language, split_sentences

# Each line of a block is one sentence; blank lines part the cases.

EN = """
Pt. c/o SOB x3d.
No fever.

5 mg p.o. b.i.d. with food.
Recheck in 2 wk.

Give 500 mg p.o. q.8h. for pain.
Stop if rash.

Seen by Dr. Silva, CRM 1234.
Discharged.

See Fig. 1.2 and Figs. 3 and 4.
The dose was doubled.

Lesion measures approx. 5 cm.
It is firm.

Metformin vs. placebo was tested.
No. 3 failed.

Use an analgesic, e.g. Paracetamol, i.e. the usual one.
Avoid NSAIDs.

Smith et al. Reported this in 2019.
We agree.

Smith et al. found no effect.
We agree.

She takes St. John's wort.
It interacts with warfarin.

T. cruzi was found.
E. coli grew at 10.5 CFU.
H. pylori was negative.

Take at 8 a.m. daily.
Skip if sick.

Take at 8 a.m. and 8 p.m.
Skip if sick.

Apply 2x/day.
Wash hands first.

Hb 10.5 g/dL.
WBC 12.3 x 10^9/L.

J. R. Smith signed the form.
A. B. witnessed it.

The pain... came back.
It was worse.

He said "I feel dizzy."
Then he fell.

The patient (aged 54 yrs.) was admitted.
He was stable.

The result was positive (see Table 2).
Therapy began.

What is the dose?
Ask now!
Then wait.

Rx: amoxicillin 500 mg t.i.d. p.c. for 7 days.
Disp. 21 caps.

Temp. 38.5 °C, resp. 22/min, B.P. 120/80.
Alert.

Pt. denies CP, SOB, etc.
No edema.

Hx. of HTN, DM2.
Dx. pneumonia.

Tx. with ceftriaxone 1 g i.v. q.d. started.
Improved.

Mrs. Jones and Ms. Lee, R.N., were present.
Consent was given.

John Doe, M.D., Ph.D., reviewed the film.
Normal.

The U.S. Food and Drug Administration approved it.
It is safe.

Vol. 12, pp. 33-35, ed. 2.
Accessed in Jan. 2020.

On Feb. 3 the wound was closed.
It healed.

Administer 10 units s.c. before meals.
Rotate sites.

1 tab. p.o. h.s. prn.
Refill x2.

Do not exceed 4 g/day.
If pain persists, call.

Ref. range 3.5-5.0 mmol/L.
K 3.1 (low).

The max. dose is 40 mg and the min. dose is 5 mg.
Titrate.

Staph. aureus and Strep. pneumoniae grew.
Start vancomycin.

C. difficile toxin was positive.
Isolate the patient.

Vitamin B12 was low.
Vitamin D was normal.

She has hepatitis C.
He has vitamin K deficiency.

Blood group was O.
No transfusion was needed.

Discharge in 2 d.
Follow up in clinic.

It weighed 5 kg.
The child cried.

The dose was 5 mg.
The patient improved.

Wait 30 min.
Then repeat.

Given at 14.30 hrs.
No reaction.

Stop the drug immediately.
pt. to call if bleeding.

Is it safe (e.g. in pregnancy)?
Yes.

"Was it painful?" she asked.
No reply.

Grade 3 (n=5).
Grade 4 (n=2).

See www.who.int.
Or write to a.b@who.int.

Version 2.0.1 was used.
See ref. 12.

As shown previously.[12]
Others disagree.[3,4]

As shown previously.1
Others disagree.

The aim was clear.(2)
Methods follow.

P < .05 was significant.
N = 30.

R leg > L leg.
Pulses intact b/l.

Take one tab. twice a day.
Avoid alcohol.

Nurse noted wt. 70 kg, ht. 1.75 m.
BMI 22.9.

Left vs. right, p = 0.03.
Cf. Smith 2010.

Washington D.C. Hospital Center admitted him.
He recovered.

He was seen at 5 p.m.
The nurse called.

1. First take the pill.
2. Then rest.
"""

PT = """
A Sra. Souza mede aprox. 1,60 m.
Passa bem.

O Dr. Silva, CRM 1234, avaliou o pac. hoje.
Alta.

A Dra. Ana e o Prof. Dr. Paulo discordam.
Aguardar.

Tomar 1 comp. v.o. 8/8 h.
Retorno em 7 dias.

Dipirona 500 mg, 1 cp. de 6/6 h, se dor.
Repouso.

Pcte. em BEG, corado, hidratado.
Abd. flácido.

Vide Fig. 1.2 e Tab. 3.
O p foi de 0,05.

Conforme o art. 5 da Lei n. 8.080, pág. 12.
Assinado.

Segundo Souza et al. a dose foi baixa.
Concordamos.

Isolado S. aureus e E. coli.
Iniciado antibiótico.

Internado na Av. Brasil n.º 10, S. Paulo.
Alta em 3 d.

P.A. 120x80 mmHg, F.C. 72 bpm.
Eupneico.

Foram 1.234 casos.
Destes, 12,5% graves.

Antec. de HAS, DM, etc.
Nega alergias.

Ex.: paracetamol, dipirona.
Evitar AAS.

A pac. refere dor há 3 sem. e febre.
Nega tosse.

Qual a dose?
Tome agora!
Depois espere.

Os pacientes do Hosp. Sta. Casa melhoraram.
Fim.

Uso i.v. e s.c. em amb. os grupos.
Sem reações.

Exame normal.
RX de tórax sem alterações.
"""

ES = """
El Dr. Pérez y la Sra. Gómez hablaron.
Todo bien.

Mide aprox. 5 cm.
Es firme.

Tomar 1 comp. v.o. c/8 h.
Reposo.

¿Tiene dolor?
¡Avise!
Gracias.

Ver Fig. 2 y pág. 10.
Según García et al. es seguro.
"""

FR = """
Le Dr. Martin a vu M. Dupont.
Il va bien.

Prendre env. 5 mg p. ex. le matin.
Repos.

Mme. Roy mesure 1,60 m.
Elle pèse 60 kg.

Avez-vous mal ?
Oui, beaucoup !
Merci.

Voir fig. 3 et chap. 2.
La dose est de 2,5 ml.
"""

DE = """
Herr Dr. med. Müller sah den Pat. heute.
Es geht ihm gut.

Einnahme von ca. 5 mg tägl. morgens.
Ruhe.

Am 12. Januar 2024 wurde operiert.
Keine Komplikationen.

Z. B. Ibuprofen, d. h. ein NSAR, ist möglich.
Vgl. Abb. 3.

Die 2. Dosis folgt bzw. entfällt.
Kontrolle in 3 Wo.
"""

EXTRA = [
    ("en", "1. First item here. 2. Second item.", ["1. First item here.", "2. Second item."]),
    ("en", "No spaces here.Then a sentence.", ["No spaces here.", "Then a sentence."]),
    (
        "en",
        "As shown previously.[12] Others disagree.[3,4]",
        ["As shown previously.[12]", "Others disagree.[3,4]"],
    ),
    ("zh", "病人发烧。给药。", ["病人发烧。", "给药。"]),
    ("pt-BR", "Tomar 1 comp. v.o. 8/8 h. Retorno.", ["Tomar 1 comp. v.o. 8/8 h.", "Retorno."]),
    ("en", "", []),
    ("en", "   ", ["   "]),
]


def blocks(language: str, table: str) -> list[tuple[str, list[str]]]:
    return [(language, block.split("\n")) for block in table.strip().split("\n\n")]


CASES = [*blocks("en", EN), *blocks("pt", PT), *blocks("es", ES), *blocks("fr", FR), *blocks("de", DE)]


def test_table_is_large_enough() -> None:
    assert len(CASES) >= 90


@pytest.mark.parametrize(("language", "sentences"), CASES)
def test_clinical_lines(language: str, sentences: list[str]) -> None:
    text = " ".join(sentences)
    pieces = split_sentences(text, language)
    assert [piece.strip() for piece in pieces] == sentences
    assert "".join(pieces) == text


@pytest.mark.parametrize(("language", "text", "sentences"), EXTRA)
def test_other_lines(language: str, text: str, sentences: list[str]) -> None:
    assert [piece.rstrip(" ") or piece for piece in split_sentences(text, language)] == sentences


PIECES = [*'aBé1º.?!…。 \u00a0\u2028\n"”()•\u0301\U0001f600\u200d\x00\ud800\ufeffß']
PIECES += ["Dr", "tab", "q.8h", "III", "no", "5 mg", "[1]", "مرحبا"]


@settings(deadline=None)
@given(
    st.one_of(st.text(st.characters()), st.lists(st.sampled_from(PIECES), max_size=30).map("".join)),
    st.sampled_from(["en", "pt", "es", "fr", "de", "zh", "ar", "hi", "xx", ""]),
)
def test_nothing_is_lost(text: str, language: str) -> None:
    pieces = split_sentences(text, language)
    assert "".join(pieces) == text
    assert all(pieces)
    assert not any(piece[0].isspace() for piece in pieces[1:])


def test_whitespace_stays_with_the_sentence_before() -> None:
    assert split_sentences("Rest now.\u00a0 Call us. ", "en") == ["Rest now.\u00a0 ", "Call us. "]


@pytest.mark.parametrize(
    "unit", ["a. ", "1. ", "A.", "Dr. ", "( ", "[1] ", "... ", "5 mg. A", "\u00a0", "tab. 1. "]
)
def test_a_long_line_takes_linear_time(unit: str) -> None:
    text = (unit * 100_000)[:100_000]
    started = time.process_time()
    pieces = split_sentences(text, "pt")
    assert time.process_time() - started < 5  # quadratic work would take minutes
    assert "".join(pieces) == text


@pytest.mark.parametrize(
    ("tag", "base"), [("pt-BR", "pt"), ("pt_br", "pt"), ("EN", "en"), ("zh-Hans-CN", "zh"), ("", "")]
)
def test_base_language(tag: str, base: str) -> None:
    assert base_language(tag) == base
