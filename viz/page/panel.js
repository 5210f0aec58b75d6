// The panel beside the picture: what is known of an operation, a group, a step, or of the whole graph.
"use strict";

const LETTERS = "abcdefghijklm";

// el("p.note", "text", child, ...)
function el(what, ...children) {
  const [tag, ...classes] = what.split("."), element = document.createElement(tag);
  if (classes.length) element.className = classes.join(" ");
  for (const child of children.flat(3)) if (child !== null && child !== undefined && child !== "") element.append(child);
  return element;
}

class Panel {
  constructor(root, model, select) {
    Object.assign(this, { root, model, select });
  }

  fill(...parts) {
    this.root.replaceChildren(...parts.flat(3).filter(Boolean));
    this.root.scrollTop = 0;
  }

  link(id, text) {
    const button = el("button.link", text || this.model.label(id));
    button.type = "button";
    button.addEventListener("click", () => this.select("n" + id, true));
    return button;
  }

  // ---------------------------------------------------------------- the whole

  overview() {
    const { model } = this, { nodes, ops, data } = model;
    const leaves = nodes.filter((n) => n.kind === "parameter" || n.kind === "variable");
    const numbers = leaves.reduce((s, n) => s + n.shapes[0].reduce((p, d) => p * d, 1), 0);
    const time = ops.reduce((s, o) => s + (nodes[o].us || 0), 0), back = model.steps.reduce((s, step) => s + step.us, 0);
    const rows = [
      ["operations", ops.length.toLocaleString("en")],
      ["inputs with a gradient", leaves.length.toLocaleString("en") + " (" + numbers.toLocaleString("en") + " numbers)"],
      ["kept for backward", bytes(data.saved)],
    ];
    if (time) rows.push(["forward took", duration(time)]);
    if (back) rows.push(["backward took", duration(back)]);
    this.fill(
      el("h2", data.title), facts(rows),
      data.unplayable ? el("p.warning", "There are no gradients here: " + data.unplayable) : null,
      this.alarms(),
      this.ranking("Most memory kept", ops.filter((o) => nodes[o].saved), (o) => nodes[o].saved, bytes),
      time ? this.ranking("Slowest forward", ops.filter((o) => nodes[o].us), (o) => nodes[o].us, duration) : null,
      legend(), keysHelp(),
    );
  }

  alarms() {
    const bad = this.model.nodes.filter((n) => [...n.values, ...(n.grads || [])].some((v) => v && v[NANS] + v[INFS] > 0));
    if (!bad.length) return null;
    const list = el("ul.plain", bad.slice(0, 8).map((n) => el("li", this.link(n.id), n.module ? el("span.note", " " + n.module) : "")));
    return el("section.warning", el("h3", "NaN or infinite, first in " + this.model.label(bad[0].id)), list);
  }

  ranking(title, ids, measure, write) {
    const top = ids.sort((a, b) => measure(b) - measure(a)).slice(0, 5);
    if (!top.length || (ids.length > 10 && measure(ids[0]) === measure(ids[9]))) return null; // nothing stands out
    const most = measure(top[0]);
    return el("section", el("h3", title), el("ul.bars", top.map((id) => {
      const bar = el("span.bar");
      bar.style.width = (100 * measure(id)) / most + "%";
      const place = this.model.nodes[id].module;
      return el("li", bar, el("span.row", el("span", this.link(id), place ? el("span.note", " " + place) : ""), el("span.amount", write(measure(id)))));
    })));
  }

  // ---------------------------------------------------------------- a group

  group(number, open) {
    const { model } = this, group = model.groups.get(number), ops = group.ops.map((o) => model.nodes[o]);
    const sum = (f) => ops.reduce((s, n) => s + (f(n) || 0), 0);
    const inside = new Set(group.ops), parameters = new Map();
    for (const o of group.ops) for (const e of model.into[o]) {
      const n = model.nodes[model.edges[e][0]];
      if (n.kind === "parameter") parameters.set(n.id, n.shapes[0].reduce((p, d) => p * d, 1));
    }
    const rows = [["operations", ops.length.toLocaleString("en")]];
    if (group.kind === "repeat") rows.unshift(["alike blocks", group.items.length]);
    if (parameters.size) rows.push(["parameters", [...parameters.values()].reduce((a, b) => a + b, 0).toLocaleString("en")]);
    if (sum((n) => n.saved)) rows.push(["kept for backward", bytes(sum((n) => n.saved))]);
    if (sum((n) => n.us)) rows.push(["forward took", duration(sum((n) => n.us))]);
    const back = group.ops.reduce((s, o) => s + (model.steps[model.stepOf.get(o)]?.us || 0), 0);
    if (back) rows.push(["backward took", duration(back)]);
    const button = el("button.primary", open ? "Close" : "Open");
    button.type = "button";
    button.addEventListener("click", () => this.select("g" + number, true, true));
    const leaving = [...new Set(group.ops.filter((o) => model.outof[o].some((e) => !inside.has(model.edges[e][1]))))];
    this.fill(
      el("h2", group.title), group.path ? el("p.path", group.path) : null, button, facts(rows),
      leaving.slice(0, 3).map((o) => this.values(o)),
      this.ranking("Most memory kept", group.ops.filter((o) => model.nodes[o].saved), (o) => model.nodes[o].saved, bytes),
    );
  }

  // ---------------------------------------------------------------- an operation, a leaf, data

  node(id) {
    const { model } = this, n = model.nodes[id], step = model.steps[model.stepOf.get(id)];
    const rows = [["shape", n.shapes.map(shapeText).join(", ")], ["type", [...new Set(n.dtypes)].join(", ")]];
    if (n.kind !== "op") rows.unshift(["kind", { leaf: "variable", data: "data, no gradient" }[n.kind] || n.kind]);
    if (n.name && n.kind === "op") rows.unshift(["name", n.name]);
    if (n.saved) rows.push(["kept for backward", bytes(n.saved)]);
    if (n.us) rows.push(["forward took", duration(n.us)]);
    if (step) rows.push(["backward took", duration(step.us)]);
    for (const [key, value] of Object.entries(n.params || {})) rows.push([key, value]);
    this.fill(
      el("h2", n.kind === "op" ? n.op : model.label(id)), n.module ? el("p.path", n.module) : null,
      n.kind === "op" ? this.formula(n) : null, facts(rows),
      n.site ? el("p.site", n.site.split("/").slice(-2).join("/")) : null,
      n.kind === "op" ? this.inputs(id) : null, this.values(id), this.readers(id),
      n.kind === "op" ? this.source(n.op) : null,
    );
    const site = this.root.querySelector(".site");
    if (site) site.title = n.site;
  }

  formula(n) {
    const f = this.model.data.formulas[n.op];
    if (!f.text) return f.about ? el("p.about", f.about) : null;
    const name = n.name && n.name.length < 12 ? n.name : "y";
    const lines = f.elementwise
      ? f.local.map((t, i) => t && `∂y/∂${LETTERS[i]} = ${t}`)
      : f.passes.map((t, i) => t && `gradient of ${this.letter(n.op, i)}: ${t}`);
    return el("div.formula", el("div.math", name + " = " + f.text), lines.filter(Boolean).map((t) => el("div.math.small", t)));
  }

  letter(op, i) {
    const own = { Linear: ["a", "W", "b"], Convolution: ["a", "W", "b"], ConvolutionInput: ["a", "W", "b"], Attention: ["q", "k", "v"], Normalise: ["a", "w", "b"] };
    return (own[op] || LETTERS)[i] || LETTERS[i];
  }

  inputs(id) {
    const n = this.model.nodes[id];
    const items = this.model.into[id].map((e) => {
      const [s, , output, input] = this.model.edges[e];
      return el("li", el("span.letter", this.letter(n.op, input)), this.link(s), el("span.note", " " + this.model.said(s, output)));
    });
    for (const [i, value] of Object.entries(n.constants || {})) items.push(el("li", el("span.letter", this.letter(n.op, i)), el("span.note", value)));
    return items.length ? el("section", el("h3", "Inputs"), el("ul.plain", items)) : null;
  }

  readers(id) {
    const ids = [...new Set(this.model.outof[id].map((e) => this.model.edges[e][1]))];
    if (!ids.length) return null;
    const more = ids.length > 6 ? el("li.note", "and " + (ids.length - 6) + " more") : null;
    return el("section", el("h3", "Read by"), el("ul.plain", ids.slice(0, 6).map((t) => el("li", this.link(t))), more));
  }

  values(id) {
    const n = this.model.nodes[id], many = n.values.length > 1;
    return n.values.slice(0, 4).flatMap((v, i) => [
      v ? valueCard(many ? `Value of output ${i}` : "Value", v) : null,
      n.grads?.[i] ? valueCard(many ? `Gradient of output ${i}` : "Gradient", n.grads[i], "back") : null,
    ]);
  }

  source(op) {
    const { source } = this.model.data.formulas[op];
    if (!source) return null;
    return el("details", el("summary", "The rule as it is written"), el("pre", source));
  }

  // ---------------------------------------------------------------- steps

  forwardStep(id, position) {
    const n = this.model.nodes[id], f = this.model.data.formulas[n.op];
    this.fill(
      el("p.phase.forward", position), el("h2", n.op), n.module ? el("p.path", n.module) : null,
      f.text ? el("div.formula", el("div.math", "y = " + f.text), this.inNumbers(id)) : el("p.about", f.about),
      this.inputs(id), n.values.map((v, i) => (v ? valueCard(n.values.length > 1 ? `Output ${i}` : "Output", v) : null)),
    );
  }

  // The formula with the numbers put in, where they are few.
  inNumbers(id) {
    const n = this.model.nodes[id], f = this.model.data.formulas[n.op], out = n.values[0]?.[NUMBERS];
    if (typeof out !== "number" || !f.elementwise) return null;
    const known = { ...n.constants };
    for (const e of this.model.into[id]) {
      const [s, , output, input] = this.model.edges[e], value = this.model.nodes[s].values[output]?.[NUMBERS];
      if (typeof value !== "number") return null;
      known[input] = number(value);
    }
    if (/[^a-z]?(max|min|sign|where|slope|mask)/.test(f.text)) return null;
    let text = "";
    for (const piece of f.text.split(/\b(?=[ab]\b)/)) {
      const i = LETTERS.indexOf(piece[0]);
      const value = /^[ab]\b/.test(piece) && known[i] !== undefined ? (known[i].startsWith("−") ? `(${known[i]})` : known[i]) + piece.slice(1) : piece;
      text += value;
    }
    return el("div.math.small", "  = " + text + " = " + number(out));
  }

  backwardStep(index, position) {
    const { model } = this, step = model.steps[index], n = model.nodes[step.node], f = model.data.formulas[n.op];
    const parts = model.into[step.node].map((e) => this.passed(step, n, f, e)).filter(Boolean);
    const told = parts.length > 0 && parts.every((part) => part.querySelector(".product")); // the incoming gradient, too
    this.fill(
      el("p.phase.back", position), el("h2", n.op), n.module ? el("p.path", n.module) : null,
      f.text ? el("div.formula", el("div.math", "y = " + f.text)) : el("p.about", f.about),
      told ? null : step.in.map((v, i) => (v ? valueCard(step.in.length > 1 ? `Incoming gradient of output ${i}` : "Incoming gradient", v, "back") : null)),
      parts, this.source(n.op),
    );
  }

  // How the gradient goes on to one input: incoming × local derivative = outgoing.
  passed(step, n, f, edge) {
    const [s, , , input] = this.model.edges[edge], out = step.out[input];
    if (!out) return null;
    const letter = this.letter(n.op, input), local = step.local[input], incoming = step.in[0];
    const rule = f.elementwise ? f.local?.[input] && `∂y/∂${letter} = ${f.local[input]}` : f.passes?.[input] && `gradient of ${letter} = ${f.passes[input]}`;
    const head = el("h3", "To ", letter, ": ", this.link(s));
    const scalar = [incoming, local, out].every((v) => v && typeof v[NUMBERS] === "number");
    const done = step.leaves.includes(input) ? el("p.note", "A leaf: this is added to its .grad.") : null;
    if (scalar) {
      const cells = [["incoming", incoming, "back"], ["×"], ["local", local, ""], ["="], ["gradient", out, "back"]];
      return el("section.pass", head, rule ? el("div.math.small", rule) : null, el("div.product", cells.map(([word, v, kind]) =>
        v ? el("div.term" + (kind ? "." + kind : ""), el("b", number(v[NUMBERS])), el("span", word)) : el("span.sign", word))), done);
    }
    return el("section.pass", head, rule ? el("div.math.small", rule) : null,
      local ? valueCard(f.elementwise ? "Local derivative" : "Local derivative: the Jacobian", local) : null,
      valueCard(local && f.elementwise ? "Incoming × local" : "Outgoing gradient", out, "back"), done);
  }

  hiddenStep(group, ids, backward, position) {
    const first = this.model.nodes[ids[0]], steps = ids.map((o) => this.model.steps[this.model.stepOf.get(o)]).filter(Boolean);
    const button = el("button.primary", "Open " + group.title);
    button.type = "button";
    button.addEventListener("click", () => this.select("g" + group.number, true, true));
    this.fill(
      el("p.phase." + (backward ? "back" : "forward"), position), el("h2", group.title), group.path ? el("p.path", group.path) : null,
      el("p", `${ids.length} operations of this group run here. Open it to see each.`), button,
      backward && steps[0] ? valueCard("Gradient that comes in at " + first.op, steps[0].in.find(Boolean), "back") : null,
      !backward ? this.values(ids[ids.length - 1]).filter((_, i) => i % 2 === 0) : null,
    );
  }
}

// ---------------------------------------------------------------------- parts

function facts(rows) {
  return el("dl.facts", rows.map(([name, value]) => [el("dt", name), el("dd", String(value))]));
}

function valueCard(title, v, kind = "") {
  if (!v) return null;
  const rows = [];
  const one = v[SHAPE].length === 0 && v[NUMBERS] !== null;
  if (!one && v[LOW] !== null) {
    rows.push(["range", number(v[LOW], 4) + " … " + number(v[HIGH], 4)], ["mean ± sd", number(v[MEAN], 4) + " ± " + number(v[STD], 3)]);
    rows.push(["zeros", (100 * v[ZEROS]).toFixed(v[ZEROS] > 0 && v[ZEROS] < 0.1 ? 1 : 0) + " %"]);
  }
  if (v[NANS]) rows.push(["NaN", v[NANS].toLocaleString("en")]);
  if (v[INFS]) rows.push(["infinite", v[INFS].toLocaleString("en")]);
  return el("section.card" + (kind ? "." + kind : ""), el("h3", title, el("span.note", " " + shapeText(v[SHAPE]))),
    one ? el("div.big", number(v[NUMBERS], 7)) : null, v[BINS] ? histogram(v) : null, rows.length ? facts(rows) : null,
    !one && v[NUMBERS] !== null ? numbersTable(v[NUMBERS], v[SHAPE]) : null);
}

function histogram(v) {
  const bins = v[BINS], most = Math.max(...bins), w = 260 / bins.length;
  const picture = svg("svg", { viewBox: "0 0 260 44", class: "histogram", role: "img", "aria-label": `histogram from ${v[LOW]} to ${v[HIGH]}` });
  bins.forEach((count, i) => {
    const h = count ? Math.max(1, (42 * count) / most) : 0;
    picture.append(svg("rect", { x: (i * w + 0.5).toFixed(1), y: (43 - h).toFixed(1), width: (w - 1).toFixed(1), height: h.toFixed(1) }));
  });
  if (v[LOW] < 0 && v[HIGH] > 0) {
    const x = ((260 * -v[LOW]) / (v[HIGH] - v[LOW])).toFixed(1);
    picture.append(svg("path", { d: `M${x} 0V44`, class: "zero" }));
  }
  return picture;
}

function numbersTable(numbers, shape) {
  if (!Array.isArray(numbers)) return null;
  let rows = numbers;
  if (shape.length === 1) rows = [numbers];
  if (shape.length > 2) rows = numbers.flat(shape.length - 2);
  const cells = rows.slice(0, 12).map((row) => el("tr", row.slice(0, 12).map((x) => el("td", number(x, 4)))));
  return el("div.scroll", el("table", el("tbody", cells)));
}

function legend() {
  const kinds = [["op", "operation"], ["group", "group: several operations"], ["parameter", "parameter"], ["variable", "variable"], ["data", "data, no gradient"], ["output", "output"]];
  return el("section", el("h3", "Boxes"), el("ul.legend", kinds.map(([kind, text]) => el("li", el("span.swatch." + kind), text))));
}

function keysHelp() {
  const keys = [["Space", "play or pause"], ["← →", "one step back or on"], ["↑ ↓", "to an input, to a reader"], ["Tab", "next box"], ["Enter", "open a group, or close the one around"],
    ["/", "search"], ["+ − 0", "zoom, fit"], ["Esc", "back to the overview"]];
  return el("section", el("h3", "Keys"), el("dl.facts.keys", keys.map(([key, what]) => [el("dt", el("kbd", key)), el("dd", what)])));
}
