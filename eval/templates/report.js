"use strict";
(() => {
  const PAGE = 25, PRINTED = 500, RANK = { critical: 3, major: 2, minor: 1 };
  const read = (id) => JSON.parse(document.getElementById(id).textContent);
  const by = (id) => document.getElementById(id);
  const data = read("explorer-data");
  let shown = PAGE, matching = [];

  const make = (tag, kind, text) => {
    const node = document.createElement(tag);
    if (kind) node.className = kind;
    if (text !== undefined) node.textContent = text;
    return node;
  };

  /* Positions count characters as Python does, not UTF-16 units. */
  const marked = (text, spans) => {
    const node = make("span", "text"), letters = Array.from(text);
    if (!text.trim()) { node.classList.add("empty"); node.textContent = "(empty)"; return node; }
    const cuts = [...new Set([0, letters.length, ...spans.flatMap((s) => [s.from, s.to])])].sort((a, b) => a - b);
    for (let i = 0; i + 1 < cuts.length; i++) {
      const piece = letters.slice(cuts[i], cuts[i + 1]).join("");
      const over = spans.filter((s) => s.from <= cuts[i] && cuts[i + 1] <= s.to);
      if (!over.length) { node.append(piece); continue; }
      over.sort((a, b) => RANK[b.severity] - RANK[a.severity]);
      const mark = make("mark", over[0].severity, piece);
      mark.title = over.map((s) => s.message).join("\n");
      node.append(mark);
    }
    return node;
  };
  const spansOf = (findings, side) => findings.filter((f) => f[side]).map((f) => ({ from: f[side][0], to: f[side][1], severity: f.s, message: f.m }));
  const all = (out) => [...(out.f || []), ...(out.j || [])];

  const line = (kind, who, text) => {
    const node = make("div", "line " + kind);
    node.append(who, text);
    return node;
  };

  const card = (segment) => {
    const node = make("article", "segment"), head = make("p", "id");
    head.append(make("span", "", segment.id));
    node.append(head);
    const everything = segment.out.flatMap(all);
    node.append(line("source", make("span", "who", "source"), marked(segment.src, spansOf(everything, "a"))));
    if (segment.ref) node.append(line("reference", make("span", "who", "reference"), marked(segment.ref, [])));
    segment.out.forEach((out, place) => {
      const who = make("span", "who"), dot = make("span", "dot");
      dot.style.background = `var(--s${(place % 8) + 1})`;
      who.append(dot, make("b", "", data.systems[place]));
      if (out.v !== undefined) who.append(make("small", "", `${data.metric} ${out.v.toFixed(1)}`));
      const row = line("output", who, marked(out.t || "", spansOf(all(out), "b")));
      const notes = make("ul", "notes");
      const note = (chip, kind, text) => { const item = make("li"); item.append(make("span", "chip " + kind, chip), make("span", "", text)); notes.append(item); };
      all(out).forEach((f) => note(`${f.s} · ${f.k}`, f.s, f.m));
      (out.w || []).forEach((w) => note("term", "", `“${w[0]}” should be “${w[1]}”`));
      if (out.r !== undefined) note(out.l ? "low round trip" : "round trip", out.l ? "major" : "", out.r);
      if (notes.children.length) row.append(notes);
      node.append(row);
    });
    return node;
  };

  const badness = (segment, systems) => {
    const values = systems.map((i) => segment.out[i].v).filter((v) => v !== undefined);
    if (!values.length) return Infinity;
    return data.lower ? -Math.max(...values) : Math.min(...values);
  };

  const select = () => {
    const show = by("show").value, kind = by("kind").value, words = by("search").value.toLowerCase().trim();
    const systems = by("system").value === "" ? data.systems.map((_, i) => i) : [Number(by("system").value)];
    matching = data.segments.filter((segment) => {
      const outs = systems.map((i) => segment.out[i]), found = outs.flatMap(all).filter((f) => !kind || f.k === kind);
      if (kind && !found.length) return false;
      if (show === "critical" && !found.some((f) => f.s === "critical")) return false;
      if (show === "any" && !found.length && !outs.some((o) => o.l)) return false;
      if (show === "terms" && !outs.some((o) => o.w)) return false;
      return !words || [segment.id, segment.src, segment.ref, ...segment.out.map((o) => o.t || "")].some((t) => t.toLowerCase().includes(words));
    });
    if (by("order").value === "worst") {
      const key = new Map(matching.map((segment) => [segment, badness(segment, systems)]));
      matching.sort((a, b) => key.get(a) - key.get(b));
    }
  };

  const draw = () => {
    by("list").replaceChildren(...matching.slice(0, shown).map(card));
    const left = matching.length - shown;
    by("more").hidden = left <= 0;
    by("more").textContent = `Show ${Math.min(left, PAGE)} more of ${left}`;
    by("count").textContent = matching.length ? `${matching.length} segments` : "No segment is like that.";
  };
  const renew = () => { shown = PAGE; select(); draw(); };

  data.systems.forEach((name, i) => by("system").append(new Option(name, String(i))));
  const has = (test) => data.segments.some((s) => s.out.some(test));
  by("show").value = has((o) => all(o).some((f) => f.s === "critical")) ? "critical" : has((o) => all(o).length) ? "any" : "all";
  ["show", "system", "kind", "order"].forEach((id) => by(id).addEventListener("change", renew));
  let timer;
  by("search").addEventListener("input", () => { clearTimeout(timer); timer = setTimeout(renew, 150); });
  document.querySelector(".filters").addEventListener("submit", (event) => event.preventDefault());
  by("more").addEventListener("click", () => { shown += PAGE; draw(); });
  addEventListener("beforeprint", () => { shown = Math.max(shown, PRINTED); draw(); });
  addEventListener("afterprint", () => { shown = PAGE; draw(); });
  by("theme").addEventListener("click", () => {
    const dark = matchMedia("(prefers-color-scheme: dark)").matches, now = document.documentElement.dataset.theme;
    document.documentElement.dataset.theme = (now ? now === "dark" : dark) ? "light" : "dark";
  });
  renew();

  const specs = read("chart-data");
  Promise.all([...document.querySelectorAll("[data-chart]")].map((node) =>
    vegaEmbed(node, specs[Number(node.dataset.chart)], { renderer: "svg", actions: false })
  )).then(() => { document.documentElement.dataset.drawn = String(specs.length); }, (error) => { document.documentElement.dataset.failed = String(error); });
})();
