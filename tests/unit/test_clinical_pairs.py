"""Hand-written pairs in the five languages: what is right stays silent, what is dangerous is found."""

from __future__ import annotations

import pytest

from data.clinical import check_pair

RIGHT = [
    ("en", "pt", "Take 0.5 mg twice daily for 7 days.", "Tome 0,5 mg duas vezes ao dia por 7 dias."),
    ("pt", "en", "Tomar 1 comprimido de 8/8 h por 10 dias.", "Take 1 tablet every 8 hours for 10 days."),
    ("pt", "en", "Paciente nega dor torácica.", "The patient denies chest pain."),
    ("en", "pt", "Warfarin was held.", "A varfarina foi suspensa."),
    ("en", "pt", "Stop aspirin.", "Não tome aspirina."),
    (
        "en",
        "pt",
        "Metformin was held because of the acute kidney injury; do not restart it before the test.",
        "A metformina foi suspensa por causa da lesão renal aguda; não reiniciá-la antes do exame.",
    ),
    ("en", "pt", "Stop aspirin and start clopidogrel.", "Inicie clopidogrel e suspenda a aspirina."),
    ("en", "pt", "Hold metformin; do not restart.", "Suspenda a metformina; não reinicie."),
    ("en", "pt", "Take one and a half tablets.", "Tome um comprimido e meio."),
    ("en", "pt", "Take 1 1/2 tablets.", "Tome 1,5 comprimido."),
    ("en", "pt", "Take 2.5 tablets.", "Tome dois comprimidos e meio."),
    ("en", "pt", "Take two and a half tablets.", "Tome 2½ comprimidos."),
    ("en", "de", "Take two and a half tablets.", "Nehmen Sie zweieinhalb Tabletten."),
    ("es", "en", "Tome dos comprimidos y medio.", "Take 2.5 tablets."),
    ("fr", "en", "deux heures et demie", "two and a half hours"),
    ("en", "pt", "See you at half past two.", "Até às duas e meia."),
    ("en", "pt", "2 tablets and half a glass of water", "2 comprimidos e meio copo de água"),
    ("en", "pt", "Take it for a week.", "Tome por 7 dias."),
    ("en", "pt", "in an hour", "em 60 minutos"),
    ("en", "pt", "Furosemide 40 mg b.i.d.", "Furosemida 40 mg b.i.d."),
    ("en", "pt", "Creatinine < 1.5 mg/dL", "Creatinina menor que 1,5 mg/dL"),
    ("en", "pt", "She is not pregnant and has never smoked.", "Não está grávida e nunca fumou."),
    ("en", "pt", "No fracture; right knee not imaged.", "Nenhuma fratura; joelho direito não visto."),
    ("en", "pt", "Insulin glargine 20 IU at bedtime.", "Insulina glargina 20 UI na hora de dormir."),
    ("pt", "en", "1,75 g de glicose em 5 mL de suspensão.", "1.75 g of glucose per 5 mL of suspension."),
    ("en", "pt", "Use or non-use of elastic stockings.", "Utilização ou não da meia elástica."),
    ("en", "pt", "Treated and untreated patients.", "Pacientes tratados e não tratados."),
    (
        "en",
        "es",
        "Do not take more than 4 g of acetaminophen in 24 hours.",
        "No tome más de 4 g de paracetamol en 24 horas.",
    ),
    (
        "en",
        "fr",
        "The patient has no history of diabetes and does not smoke.",
        "Le patient n'a aucun antécédent de diabète et ne fume pas.",
    ),
    (
        "en",
        "de",
        "Take two tablets three times a day for 10 days.",
        "Nehmen Sie 10 Tage lang dreimal täglich zwei Tabletten ein.",
    ),
    ("en", "de", "The patient denies chest pain.", "Der Patient verneint Brustschmerzen."),
    (
        "en",
        "de",
        "Do not take this medicine if you are pregnant.",
        "Nehmen Sie dieses Arzneimittel nicht ein, wenn Sie schwanger sind.",
    ),
    (
        "en",
        "pt",
        "Blood pressure 120/80 mmHg, heart rate 72 bpm.",
        "Pressão arterial 120/80 mmHg, frequência cardíaca 72 bpm.",
    ),
    ("en", "pt", "Hold the warfarin before surgery.", "Suspenda a varfarina antes da cirurgia."),
    ("en", "pt", "Fracture of the left femur.", "Fratura do fêmur esquerdo."),
    (
        "en",
        "es",
        "Pain in both knees, left worse than right.",
        "Dolor en ambas rodillas, peor la izquierda que la derecha.",
    ),
    ("en", "pt", "He was born on March 4, 2020 at 8:30 pm.", "Ele nasceu em 4 de março de 2020 às 20h30."),
    (
        "en",
        "pt",
        "Give 1,500 mL of saline over 24 hours.",
        "Administrar 1.500 mL de soro fisiológico em 24 horas.",
    ),
    ("en", "fr", "Temperature 101.3 °F", "Température 38,5 °C"),
    ("en", "de", "Maximum daily dose: 1,000 mg", "Maximale Tagesdosis: 1000 mg"),
    (
        "en",
        "pt",
        "Type II diabetes, stage III, NYHA class IV.",
        "Diabetes tipo 2, estágio 3, classe IV da NYHA.",
    ),
    ("en", "pt", "500 mg = 0.5 g of vitamin C", "0,5 g = 500 mg de vitamina C"),
    (
        "en",
        "pt",
        "Continue taking metformin 850 mg with meals.",
        "Continue tomando metformina 850 mg com as refeições.",
    ),
    (
        "en",
        "pt",
        "Stop taking ibuprofen if you have stomach pain.",
        "Pare de tomar ibuprofeno se tiver dor de estômago.",
    ),
    ("en", "pt", "Half a tablet every other day", "Meio comprimido em dias alternados"),
    ("en", "pt", "No more than 3 doses per day.", "No máximo 3 doses por dia."),
    ("en", "es", "Apply the cream twice a day.", "Aplique la crema dos veces al día."),
    ("en", "pt", "A 45-year-old woman with hypertension.", "Mulher de 45 anos com hipertensão."),
    (
        "pt",
        "en",
        "Administrar 10.000 UI de heparina por via subcutânea.",
        "Administer 10,000 IU of heparin subcutaneously.",
    ),
    (
        "es",
        "en",
        "Tomar 1 comprimido cada 12 horas durante 5 días.",
        "Take 1 tablet every 12 hours for 5 days.",
    ),
    (
        "fr",
        "en",
        "Prendre 1 comprimé matin et soir pendant une semaine.",
        "Take 1 tablet morning and evening for one week.",
    ),
    (
        "de",
        "en",
        "Zweimal täglich 20 mg Omeprazol vor dem Essen einnehmen.",
        "Take 20 mg of omeprazole twice daily before meals.",
    ),
    ("en", "pt", "Patients aged 18 years or older.", "Pacientes com 18 anos ou mais."),
    ("en", "pt", "SpO2 < 92% or fever ≥ 38 °C", "SpO2 < 92% ou febre ≥ 38 °C"),
    ("en", "de", "The patient does not have any allergies.", "Der Patient hat keine Allergien."),
    ("en", "pt", "Visual acuity 20/40 OD and 20/20 OS.", "Acuidade visual 20/40 OD e 20/20 OE."),
    (
        "en",
        "pt",
        "Dear {name}, your appointment is on <b>May 5</b>.",
        "Prezado {name}, sua consulta é em <b>5 de maio</b>.",
    ),
    ("en", "pt", "Take two puffs twice daily.", "Inale dois jatos de 12/12 h."),
    ("en", "pt", "Half a tablet every other day.", "Meio comprimido em dias alternados."),
    ("en", "pt", "Give 1 g paracetamol every 6 hours.", "Administre 1000 mg de paracetamol a cada 6 horas."),
    ("en", "pt", "Lower the dose if dizziness occurs.", "Reduza a dose se ocorrer tontura."),
    ("en", "fr", "Stop aspirin 7 days before surgery.", "Arrêtez l'aspirine 7 jours avant l'opération."),
]

WRONG = [
    ("en", "pt", "Take 5 mg twice daily.", "Tome 50 mg duas vezes ao dia.", "number"),
    ("en", "pt", "Give 0.25 mg of digoxin.", "Administrar 2,5 mg de digoxina.", "number"),
    ("en", "pt", "Inject 10 IU of insulin.", "Injetar 10 mL de insulina.", "unit"),
    ("en", "pt", "Give 500 mcg.", "Administrar 500 mg.", "unit"),
    ("en", "pt", "Amputation of the left leg.", "Amputação da perna direita.", "laterality"),
    ("en", "es", "Surgery on the right eye.", "Cirugía en el ojo izquierdo.", "laterality"),
    ("en", "fr", "Pain in the left shoulder.", "Douleur à l'épaule droite.", "laterality"),
    ("en", "de", "Fracture of the right hip.", "Fraktur der linken Hüfte.", "laterality"),
    ("en", "pt", "The patient denies chest pain.", "O paciente refere dor torácica.", "negation"),
    ("en", "pt", "No evidence of fracture.", "Evidência de fratura.", "negation"),
    ("en", "es", "Do not take with alcohol.", "Tome con alcohol.", "negation"),
    (
        "en",
        "fr",
        "The patient is not allergic to penicillin.",
        "Le patient est allergique à la pénicilline.",
        "negation",
    ),
    ("en", "de", "Do not exceed the dose.", "Überschreiten Sie die Dosis.", "negation"),
    ("en", "de", "The patient has fever.", "Der Patient hat kein Fieber.", "negation"),
    ("pt", "en", "Paciente sem febre.", "Patient with fever.", "negation"),
    ("pt", "en", "Nega alergias.", "Has allergies.", "negation"),
    ("en", "pt", "Pulmonary embolism was ruled out.", "A embolia pulmonar foi confirmada.", "negation"),
    (
        "en",
        "pt",
        "Hold the metformin until further notice.",
        "Continue tomando a metformina até novo aviso.",
        "instruction",
    ),
    ("en", "es", "Hold the metformin.", "Mantenga la metformina.", "instruction"),
    ("en", "pt", "Hold the medicine.", "Continue tomando o medicamento.", "instruction"),
    ("en", "pt", "Keep taking the antibiotic.", "Pare de tomar o antibiótico.", "instruction"),
    ("en", "pt", "Take one tablet twice daily.", "Tome um comprimido três vezes ao dia.", "frequency"),
    ("en", "pt", "Take 1 tablet b.i.d.", "Tome 1 comprimido 3 vezes ao dia.", "frequency"),
    ("en", "es", "Take every 8 hours.", "Tome cada 6 horas.", "frequency"),
    ("en", "fr", "Once daily.", "Deux fois par jour.", "frequency"),
    ("en", "de", "Three times a day", "Zweimal täglich", "frequency"),
    ("en", "pt", "Take daily.", "Tome semanalmente.", "frequency"),
    ("en", "pt", "Start hydroxyzine 25 mg.", "Iniciar hidralazina 25 mg.", "drug"),
    ("en", "pt", "Amoxicillin 500 mg", "Ampicilina 500 mg", "drug"),
    ("en", "es", "Prednisone 20 mg", "Prednisolona 20 mg", "drug"),
    ("en", "fr", "Give clonidine.", "Donner clozapine.", "drug"),
    ("en", "de", "Losartan 50 mg", "Lisinopril 50 mg", "drug"),
    ("en", "pt", "Potassium chloride 10 mEq", "Cloreto de sódio 10 mEq", "drug"),
    ("en", "pt", "At least 3 days", "No máximo 3 dias", "comparison"),
    ("en", "es", "BP > 140", "PA < 140", "comparison"),
    ("en", "pt", "Seen on 03/15/2020", "Visto em 15/04/2020", "date"),
    ("en", "pt", "On April 3, 2021", "Em 3 de maio de 2021", "date"),
    ("en", "pt", "Appointment at 3 pm", "Consulta às 13h00", "date"),
    ("en", "pt", "A 30-year-old woman", "Um homem de 30 anos", "patient"),
    (
        "en",
        "pt",
        "Take with food. Call the doctor if you develop a rash or have trouble breathing.",
        "Tome com alimentos.",
        "missing",
    ),
    (
        "en",
        "pt",
        "The patient was admitted with fever and cough, and antibiotics were started on the second day.",
        "O paciente foi internado com febre e tosse.",
        "missing",
    ),
    ("en", "es", "Keep out of reach of children.", "Keep out of reach of children.", "untranslated"),
    (
        "en",
        "pt",
        "Take one tablet.",
        "Tome um comprimido um comprimido um comprimido um comprimido.",
        "repeated",
    ),
    ("en", "pt", "Dear {name}", "Prezado {nome}", "markup"),
    ("en", "pt", "Two tablets in the morning", "Três comprimidos pela manhã", "number"),
    ("en", "pt", "Type II diabetes", "Diabetes tipo 1", "number"),
    ("en", "pt", "Take two and a half tablets.", "Tome dois comprimidos.", "number"),
    ("en", "pt", "Take two tablets.", "Tome dois comprimidos e meio.", "number"),
    ("en", "pt", "Take 1 1/2 tablets.", "Tome 1 comprimido.", "number"),
    ("en", "de", "Take two and a half tablets.", "Nehmen Sie dreieinhalb Tabletten.", "number"),
    ("en", "pt", "Give 10 mg/kg.", "Administrar 10 mg.", "unit"),
    ("en", "pt", "for 7 days", "por 7 semanas", "unit"),
    ("en", "pt", "Apply to both eyes.", "Aplicar no olho direito.", "laterality"),
    ("en", "pt", "Instill 1 drop OD.", "Instilar 1 gota OE.", "laterality"),
    ("de", "en", "Einmal täglich 5 mg", "5 mg twice daily", "frequency"),
    ("fr", "en", "Ne pas avaler.", "Swallow.", "negation"),
    ("es", "en", "Niega fiebre.", "Reports fever.", "negation"),
    ("en", "pt", "It is not uncommon.", "É incomum.", "negation"),
    ("en", "pt", "Creatinine < 1.5 mg/dL", "Creatinina - 1,5 mg/dL", "comparison"),
    ("pt", "en", "Febre > 38,5 °C", "Fever 38.5 °C", "comparison"),
    ("en", "pt", "Hold metformin.", "Segure metformina.", "instruction"),
    (
        "en",
        "pt",
        "Metformin was held because of the acute kidney injury; do not restart it before the test.",
        "A metformina foi realizada por causa da lesão renal aguda; não reiniciá-la antes do exame.",
        "instruction",
    ),
    ("en", "pt", "Hold metformin; do not restart.", "Mantenha a metformina; não reinicie.", "instruction"),
    (
        "en",
        "pt",
        "Metformin 850 mg twice daily - hold until creatinine < 1.5 mg/dL.",
        "Metformina 850 mg duas vezes por dia - segure até a creatinina < 1,5 mg/dL.",
        "instruction",
    ),
    ("en", "pt", "Warfarin was held before surgery.", "A varfarina foi realizada antes.", "instruction"),
    ("en", "pt", "Untreated high blood pressure.", "Hipertensão arterial tratada.", "negation"),
    ("en", "pt", "Death or non-fatal infarction.", "Óbito ou infarto fatal.", "negation"),
    (
        "en",
        "pt",
        "Treated and untreated patients without fever.",
        "Pacientes tratados e tratados sem febre.",
        "negation",
    ),
    ("en", "pt", "Increase the dose to 20 mg.", "Reduza a dose para 20 mg.", "instruction"),
    ("en", "de", "Reduce the dose.", "Erhöhen Sie die Dosis.", "instruction"),
    ("en", "pt", "Pulmonary embolism was ruled out.", "A embolia pulmonar foi confirmada.", "negation"),
    ("en", "fr", "Take 250 mcg once daily.", "Prendre 250 mg une fois par jour.", "unit"),
]


@pytest.mark.parametrize(("source_language", "target_language", "source", "target"), RIGHT)
def test_right_translations_raise_no_alarm(
    source_language: str, target_language: str, source: str, target: str
) -> None:
    assert check_pair(source, target, source_language, target_language) == ()


@pytest.mark.parametrize(("source_language", "target_language", "source", "target", "kind"), WRONG)
def test_dangerous_translations_are_found(
    source_language: str, target_language: str, source: str, target: str, kind: str
) -> None:
    findings = check_pair(source, target, source_language, target_language)
    found = {finding.kind: finding for finding in reversed(findings)}
    assert kind in found
    assert found[kind].severity == ("major" if kind == "repeated" else "critical")


@pytest.mark.parametrize(("source_language", "target_language", "source", "target", "kind"), WRONG)
def test_spans_lie_in_their_texts_and_messages_are_sentences(
    source_language: str, target_language: str, source: str, target: str, kind: str
) -> None:
    for finding in check_pair(source, target, source_language, target_language):
        for span, text in ((finding.source_span, source), (finding.target_span, target)):
            assert span is None or 0 <= span.start < span.end <= len(text)
        assert finding.source_span is not None or finding.target_span is not None
        assert finding.message[0].isupper() or finding.message[0] == '"'
        assert finding.message.endswith(".")


def test_a_medicine_that_no_table_has_can_be_held() -> None:
    source = "Metformin 850 mg twice daily - hold until creatinine < 1.5 mg/dL."
    target = "Glifage 850 mg duas vezes por dia - suspenda até a creatinina < 1,5 mg/dL."
    assert [finding.kind for finding in check_pair(source, target, "en", "pt")] == ["drug"]
