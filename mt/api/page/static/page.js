// The page of medloop: asks /v1 and shows what it says. Text only ever becomes text nodes, never markup.
"use strict";

const $ = (id) => document.getElementById(id);
const WEIGHT = { critical: 3, major: 2, minor: 1, term: 0, side: -1 };
let shown = null; // what the last answer was for: {source, text, marks}
let running = null;

function say(message, error = false) {
  $("status").textContent = message;
  $("status").classList.toggle("error", error);
}

async function ask(path, options = {}) {
  const headers = new Headers(options.headers);
  const key = $("key").value.trim();
  if (key) headers.set("Authorization", `Bearer ${key}`);
  const answer = await fetch(path, { ...options, headers });
  if (answer.ok) return answer;
  if (answer.status === 401 || answer.status === 403) $("key-field").hidden = false;
  const problem = await answer.json().catch(() => ({}));
  const wait = answer.headers.get("Retry-After");
  throw new Error((problem.detail || problem.title || `The server answered ${answer.status}`) +
    (answer.status === 429 && wait ? ` Try again in ${wait} s.` : ""));
}

// Languages and glossaries

let pairs = [];

function options(select, values, name) {
  const before = select.value;
  select.replaceChildren(...values.map((value) => new Option(name(value), value)));
  if (values.includes(before)) select.value = before;
}

function languageName(code) {
  try { return new Intl.DisplayNames(["en"], { type: "language" }).of(code); } catch { return code; }
}

function targets() {
  options($("to"), pairs.filter(([from]) => from === $("from").value).map(([, to]) => to), languageName);
}

async function start() {
  try {
    const found = await (await ask("/v1/languages")).json();
    pairs = found.flatMap((one) => one.targets.map((target) => [one.code, target]));
    options($("from"), [...new Set(pairs.map(([from]) => from))], languageName);
    targets();
  } catch (error) { say(error.message, true); return; }
  await glossaries();
}

async function glossaries() {
  try {
    const found = await (await ask("/v1/glossaries")).json();
    const fitting = found.filter((one) => one.dictionaries.some((own) =>
      own.source === $("from").value && own.target === $("to").value));
    const before = $("glossary").value;
    $("glossary").replaceChildren(new Option("none", ""), ...fitting.map((one) => new Option(one.name, one.id)));
    if (fitting.some((one) => one.id === before)) $("glossary").value = before;
  } catch { /* a key without glossaries still translates */ }
}

// Translating

async function translate() {
  const source = $("source").value;
  if (!source.trim()) { say("Write or paste a text first."); $("source").focus(); return; }
  running?.abort();
  running = new AbortController();
  const own = running;
  say("Translating…");
  $("translate").setAttribute("aria-busy", "true");
  const body = { text: source, source: $("from").value, target: $("to").value };
  if ($("glossary").value) body.glossaries = [$("glossary").value];
  try {
    const began = performance.now();
    const answer = await ask("/v1/translate", { method: "POST", signal: own.signal, body: JSON.stringify(body),
      headers: { "Content-Type": "application/json" } });
    const { translations: [found] } = await answer.json();
    show(source, found);
    say(`Translated in ${((performance.now() - began) / 1000).toFixed(1)} s.`);
  } catch (error) {
    if (error.name !== "AbortError") say(error.message, true);
  } finally { if (running === own) $("translate").removeAttribute("aria-busy"); }
}

// Where each segment stands in a whole text, in order.
function placed(text, segments, side) {
  let from = 0;
  return segments.map((segment) => {
    const start = text.indexOf(segment[side], from);
    if (start >= 0) from = start + segment[side].length;
    return start;
  });
}

function characters(text, start, span) { // the server counts code points, JavaScript halves of some
  const before = [...text].slice(0, span[0]).join("").length;
  return [start + before, start + before + [...text].slice(span[0], span[1]).join("").length];
}

function marksOf(segments, whole, side) {
  const starts = placed(whole, segments, side);
  const marks = [];
  segments.forEach((segment, number) => {
    if (starts[number] < 0) return;
    const add = (span, kind, reason, id) => {
      if (!span || span[0] === span[1]) return;
      const [start, end] = characters(segment[side], starts[number], span);
      marks.push({ start, end, kind, reason, id });
    };
    (segment.terms?.required || []).forEach((term) =>
      add(term[`${side}_span`], "term", `Glossary: ${term.source} → ${term.target}`));
    (segment.findings || []).forEach((finding, index) => { // what is missing on one side is missing somewhere in it
      const span = finding[`${side}_span`];
      add(span || [0, [...segment[side]].length], span ? finding.severity : "side", finding.message, `${number}-${index}`);
    });
  });
  return marks;
}

// Text with marks; where marks overlap, the gravest is seen and all reasons are told.
function paint(box, text, marks, focusable) {
  const cuts = [...new Set([0, text.length, ...marks.flatMap((mark) => [mark.start, mark.end])])]
    .filter((cut) => cut >= 0 && cut <= text.length).sort((a, b) => a - b);
  const nodes = [];
  for (let i = 0; i + 1 < cuts.length; i++) {
    const here = marks.filter((mark) => mark.start <= cuts[i] && mark.end >= cuts[i + 1]);
    const piece = text.slice(cuts[i], cuts[i + 1]);
    if (!here.length) { nodes.push(piece); continue; }
    here.sort((a, b) => WEIGHT[b.kind] - WEIGHT[a.kind]);
    const mark = document.createElement("mark");
    mark.className = here[0].kind;
    mark.textContent = piece;
    mark.title = here.map((one) => one.reason).join("\n");
    mark.dataset.ids = here.map((one) => one.id).filter(Boolean).join(" ");
    if (focusable) { mark.tabIndex = 0; mark.setAttribute("aria-description", mark.title); }
    nodes.push(mark);
  }
  box.replaceChildren(...nodes, "\u200b"); // a last line break would else take no room
}

function badge(kind, text) {
  const one = document.createElement("span");
  one.className = `badge ${kind}`;
  one.textContent = text;
  return one;
}

function show(source, found) {
  const segments = found.segments || [];
  shown = { source, text: found.text };
  paint($("source-marks"), source, marksOf(segments, source, "source"), false);
  paint($("target"), found.text, marksOf(segments, found.text, "target"), true);
  $("target").lang = $("to").value;
  $("copy").disabled = $("download").disabled = false;
  verdict(segments);
  listed(segments);
}

function verdict(segments) {
  const review = segments.filter((segment) => segment.needs_review).length;
  const scores = segments.map((segment) => segment.score).filter((score) => typeof score === "number");
  const nodes = [review ? badge("review", `${review} of ${segments.length} need review`) : badge("good", "nothing to check found")];
  if (scores.length) nodes.push(` model confidence ${sure(scores.reduce((a, b) => a + b, 0) / scores.length)}`);
  $("verdict").replaceChildren(...nodes);
}

const sure = (score) => `${Math.round(100 * Math.exp(score))} %`; // of a word, as the model sees it

function listed(segments) {
  const items = [];
  segments.forEach((segment, number) => {
    (segment.findings || []).forEach((finding, index) =>
      items.push(item(segment, finding.severity, finding.kind, finding.message, `${number}-${index}`)));
    (segment.terms?.required || []).filter((term) => !term.target_span).forEach((term) =>
      items.push(item(segment, "major", "term", `The glossary wants “${term.target}” for “${term.source}”.`, "")));
  });
  $("findings").replaceChildren(...items);
  $("review").hidden = !items.length;
}

function item(segment, severity, kind, message, id) {
  const button = document.createElement("button");
  button.type = "button";
  const quote = document.createElement("q");
  quote.textContent = segment.target;
  const told = typeof segment.score === "number" ? ` (model confidence ${sure(segment.score)})` : "";
  button.append(badge(severity, `${severity}: ${kind}`), ` ${message}${told}`, quote);
  button.addEventListener("click", () => point(id));
  const entry = document.createElement("li");
  entry.append(button);
  return entry;
}

function point(id) {
  document.querySelectorAll("mark.here").forEach((mark) => mark.classList.remove("here"));
  const found = [...document.querySelectorAll("mark")].filter((mark) => (mark.dataset.ids || "").split(" ").includes(id) && id);
  found.forEach((mark) => mark.classList.add("here"));
  const target = found.find((mark) => mark.tabIndex === 0);
  (target || found[0])?.scrollIntoView({ block: "center" });
  target?.focus();
}

// The text pane

function changed() {
  const text = $("source").value;
  $("count").textContent = `${[...text].length.toLocaleString("en")} characters`;
  $("source").style.height = "auto";
  $("source").style.height = `${$("source").scrollHeight}px`;
  if (!shown || shown.source !== text) $("source-marks").replaceChildren();
}

function put(text) { $("source").value = text; changed(); }

async function taken(file) {
  if (!file) return;
  if (/\.(txt|text)$/i.test(file.name) && file.size < 200000) {
    put(await file.text());
    say(`${file.name} is in the text pane.`);
    return;
  }
  await documentJob(file);
}

async function documentJob(file) {
  const form = new FormData();
  form.append("file", file);
  form.append("source", $("from").value);
  form.append("target", $("to").value);
  if ($("glossary").value) form.append("glossaries", $("glossary").value);
  try {
    say(`Sending ${file.name}…`);
    let job = await (await ask("/v1/documents", { method: "POST", body: form })).json();
    while (!["done", "failed"].includes(job.state)) {
      say(`Translating ${file.name}…`);
      await new Promise((done) => setTimeout(done, 700));
      job = await (await ask(`/v1/documents/${encodeURIComponent(job.id)}`)).json();
    }
    if (job.state === "failed") throw new Error(job.reason || "The document could not be translated.");
    const answer = await ask(`/v1/documents/${encodeURIComponent(job.id)}/result`);
    save(await answer.blob(), named(file.name));
    say(`${file.name} is translated and saved.`);
  } catch (error) { say(error.message, true); }
}

function named(name) { return name.replace(/(\.[^.]*)?$/, (ending) => `.${$("to").value}${ending}`); }

function save(blob, name) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10000);
}

async function copy() {
  try {
    await navigator.clipboard.writeText(shown.text);
  } catch { // no permission, or no https
    const range = document.createRange();
    range.selectNodeContents($("target"));
    getSelection().removeAllRanges();
    getSelection().addRange(range);
    document.execCommand("copy");
  }
  say("Copied.");
}

function swap() {
  if (!pairs.some(([from, to]) => from === $("to").value && to === $("from").value)) { say("No model for that way.", true); return; }
  const to = $("from").value;
  $("from").value = $("to").value;
  targets();
  $("to").value = to;
  if (shown) put(shown.text);
  clearTarget();
  glossaries();
}

function clearTarget() {
  shown = null;
  for (const id of ["target", "source-marks", "verdict", "findings"]) $(id).replaceChildren();
  $("review").hidden = true;
  $("copy").disabled = $("download").disabled = true;
}

document.addEventListener("keydown", (event) => {
  if ((event.ctrlKey || event.metaKey) && event.key === "Enter") { event.preventDefault(); translate(); }
});
$("translate").addEventListener("click", translate);
$("from").addEventListener("change", () => { targets(); glossaries(); });
$("to").addEventListener("change", glossaries);
$("swap").addEventListener("click", swap);
$("key").addEventListener("change", start);
$("source").addEventListener("input", changed);
$("clear").addEventListener("click", () => { put(""); clearTarget(); say(""); $("source").focus(); });
$("copy").addEventListener("click", copy);
$("download").addEventListener("click", () => save(new Blob([shown.text], { type: "text/plain" }), named("translation.txt")));
$("file").addEventListener("change", (event) => { taken(event.target.files[0]); event.target.value = ""; });
for (const kind of ["dragenter", "dragover"]) $("drop").addEventListener(kind, (event) => {
  if ([...event.dataTransfer.types].includes("Files")) { event.preventDefault(); $("drop").classList.add("over"); }
});
for (const kind of ["dragleave", "drop"]) $("drop").addEventListener(kind, () => $("drop").classList.remove("over"));
$("drop").addEventListener("drop", (event) => {
  if (event.dataTransfer.files.length) { event.preventDefault(); taken(event.dataTransfer.files[0]); }
});
addEventListener("resize", changed);
start().then(changed);
