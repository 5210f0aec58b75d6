// The graph and its tree of groups; which boxes, frames and lines are seen for the groups that are open.
"use strict";

const TO = " … "; // between the first and the last path of a range
const [LOW, HIGH, MEAN, STD, ZEROS, NANS, INFS, BINS, NUMBERS, SHAPE] = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]; // of a value

class GraphModel {
  constructor(data, most) {
    Object.assign(this, { data, nodes: data.nodes, edges: data.edges, steps: data.steps });
    this.into = this.nodes.map(() => []);
    this.outof = this.nodes.map(() => []);
    this.edges.forEach(([s, t], i) => { this.into[t].push(i); this.outof[s].push(i); });
    this.stepOf = new Map(this.steps.map((step, i) => [step.node, i]));
    this.tagged = new Set(data.tags);
    this.outputs = [...new Set(data.outputs)].filter((o) => this.nodes[o].kind === "op");
    this.groups = new Map();
    this.innermost = new Map(); // operation -> its group
    this.root = this.readTree(data.tree);
    this.ops = this.nodes.filter((n) => n.kind === "op").map((n) => n.id);
    this.opened = new Set();
    this.openSome(most ?? data.most);
  }

  readTree(tree) {
    const root = { number: tree.n, kind: tree.k, title: "", path: "", raw: tree.i, parent: null, depth: 0 };
    const queue = [root];
    for (const group of queue) {
      this.groups.set(group.number, group);
      group.items = group.raw.map((item) => {
        if (typeof item === "number") { this.innermost.set(item, group); return item; }
        const inner = { number: item.n, kind: item.k, title: item.t, path: item.p, raw: item.i, parent: group, depth: group.depth + 1 };
        queue.push(inner);
        return inner;
      });
    }
    for (const group of [...queue].reverse()) {
      group.ops = group.items.flatMap((item) => (typeof item === "number" ? [item] : item.ops));
      delete group.raw;
    }
    return root;
  }

  // The outer modules first, the largest first among them, while few enough boxes are seen.
  openSome(most) {
    this.opened = new Set([this.root.number]);
    let seen = this.root.items.length;
    const modules = (items) => items.filter((i) => i.kind === "module"), waiting = modules(this.root.items);
    while (waiting.length) {
      waiting.sort((a, b) => a.depth - b.depth || b.ops.length - a.ops.length);
      const group = waiting.shift();
      if (seen - 1 + group.items.length > most) continue;
      seen += group.items.length - 1;
      this.opened.add(group.number);
      waiting.push(...modules(group.items));
    }
  }

  open(number) { this.opened.add(number); }
  close(number) { this.opened.delete(number); }
  closeAll() { this.opened = new Set([this.root.number]); }

  // Opens every group; false if that were too many boxes to look at.
  openAll(limit) {
    if (this.ops.length > limit) return false;
    this.opened = new Set(this.groups.keys());
    return true;
  }

  // Opens the groups around a node, so that it is seen.
  reveal(id) {
    let group = this.innermost.get(this.nodes[id].kind === "op" ? id : this.edges[this.outof[id][0]]?.[1]);
    while (group) { this.opened.add(group.number); group = group.parent; }
  }

  label(id) {
    const n = this.nodes[id];
    return n.kind === "op" ? n.op : n.name || n.kind;
  }

  // The scalar that an output is, if it is one and known, else its shape.
  said(id, output = 0) {
    const n = this.nodes[id], value = n.values[output];
    return n.shapes[output].length || !value ? shapeText(n.shapes[output]) : number(value[NUMBERS]);
  }

  // The gradient that flows back along an edge, if it is known.
  edgeGradient(edge) {
    const [, target, , input] = this.edges[edge], step = this.steps[this.stepOf.get(target)];
    return step ? step.out[input] : null;
  }

  // ---------------------------------------------------------------- what is seen

  scene() {
    const boxes = [], frames = [{ number: this.root.number, title: "", note: "", parent: 0 }], place = new Map();
    const add = (box, nodes) => { for (const n of nodes) place.set(n, boxes.length); boxes.push({ tags: [], ...box }); };
    const show = (item, frame) => {
      const outer = frames[frame].path || "";
      if (typeof item === "number") {
        const n = this.nodes[item];
        add({ key: "n" + item, kind: "op", title: n.op, note: below(n.module, outer), node: item, first: item, frame }, [item]);
      } else if (!this.opened.has(item.number)) {
        const copies = item.kind === "repeat" ? item.items.length : 1;
        add({ key: "g" + item.number, kind: "group", title: item.title, times: copies, note: this.groupNote(item, outer),
          group: item.number, first: item.ops[0], frame }, item.ops);
      } else {
        const times = item.kind === "repeat" ? item.items.length : 1;
        frames.push({ number: item.number, title: item.title, note: below(item.path, outer), parent: frame, times,
          path: item.path.includes(TO) ? outer : item.path || outer });
        const here = frames.length - 1;
        item.items.forEach((inner) => show(inner, here));
      }
    };
    this.root.items.forEach((item) => show(item, 0));
    this.addInputs(boxes, frames, place);
    const lines = this.lines(boxes, place);
    for (const o of this.outputs) {
      lines.push({ from: place.get(o), to: boxes.length, edges: [], label: this.said(o), source: o });
      boxes.push({ key: "o" + o, kind: "output", title: this.nodes[o].name || "output", note: "", tags: [], node: o, first: Infinity, frame: 0 });
    }
    const byOrder = boxes.map((_, i) => i).sort((a, b) => boxes[a].first - boxes[b].first || a - b);
    const rank = new Map(byOrder.map((b, i) => [b, i]));
    for (const line of lines) { line.from = rank.get(line.from); line.to = rank.get(line.to); }
    for (const [n, b] of place) place.set(n, rank.get(b));
    return { boxes: byOrder.map((b) => boxes[b]), frames, lines, place };
  }

  groupNote(group, outer) {
    const path = below(group.path, outer);
    const names = [...new Set(group.ops.slice(0, 200).map((o) => this.nodes[o].op))];
    const what = group.kind === "piece" || !path ? names.slice(0, 3).join(", ") + (names.length > 3 ? " …" : "") : path;
    return group.kind === "piece" ? what : what + " · " + group.ops.length + " operations";
  }

  // Variables and data as boxes; many that lead to the same closed groups as one.
  addInputs(boxes, frames, place) {
    const alike = new Map();
    for (const n of this.nodes) {
      if (n.kind === "op" || this.tagged.has(n.id)) continue;
      const targets = [...new Set(this.outof[n.id].map((e) => place.get(this.edges[e][1])))];
      const closed = targets.length && targets.every((t) => boxes[t].kind === "group");
      const key = closed ? n.kind + targets.sort().join() : "one" + n.id;
      (alike.get(key) || alike.set(key, { members: [], targets }).get(key)).members.push(n);
    }
    for (const { members, targets } of alike.values()) {
      const n = members[0], word = n.name || n.kind;
      const first = Math.min(...targets.map((t) => boxes[t].first)) - 0.5;
      for (const m of members) place.set(m.id, boxes.length);
      boxes.push({ key: "n" + n.id, kind: n.kind, title: members.length > 1 ? members.length + " × " + word : word, note: "",
        many: members.length, tags: [], node: n.id, first: Number.isFinite(first) ? first : n.id, frame: commonFrame(frames, targets.map((t) => boxes[t].frame)) });
    }
  }

  lines(boxes, place) {
    const lines = [], between = new Map(), hidden = new Map();
    this.edges.forEach(([s, t, output, input], i) => {
      const to = place.get(t);
      if (this.tagged.has(s)) {
        if (boxes[to].kind === "op") boxes[to].tags.push({ node: s, edge: i });
        else if (this.nodes[s].kind === "data") (hidden.get(to) || hidden.set(to, new Set()).get(to)).add(s);
        return;
      }
      const from = place.get(s), key = from + "," + to;
      if (from === to) return;
      const grouped = boxes[from].kind === "group" || boxes[to].kind === "group";
      if (grouped && between.has(key)) { between.get(key).edges.push(i); return; }
      const many = boxes[from].many > 1, label = many ? shapeText(this.nodes[s].shapes[output]) : this.said(s, output);
      const line = { from, to, edges: [i], label, source: s, input };
      lines.push(line);
      between.set(key, line);
    });
    for (const [to, data] of hidden) boxes[to].tags.push({ node: [...data][0], many: data.size });
    return lines;
  }
}

function commonFrame(frames, inside) {
  if (!inside.length) return 0;
  const chains = inside.map((f) => { const c = [f]; while (f) c.push((f = frames[f].parent)); return c; });
  return Math.max(...chains[0].filter((f) => chains.every((c) => c.includes(f))));
}

// A path, or a range of them, as it is seen from a module around it.
function below(path, outer) {
  if (path === outer) return "";
  if (path.includes(TO)) return path.split(TO).map((p) => below(p, outer)).join(TO);
  return outer && path.startsWith(outer + ".") ? path.slice(outer.length + 1) : path;
}

// A name that fits into a box: its middle is left out if it is long.
function clipped(text, most = 44) {
  return text.length > most ? text.slice(0, most / 2 - 1) + "…" + text.slice(1 - most / 2) : text;
}

function shapeText(shape) {
  return shape.join("×") || "scalar";
}

// A number as people write it, in a few characters; text (NaN, complex) as it is.
function number(x, digits = 5) {
  if (typeof x !== "number") return String(x).replace("nan", "NaN").replace("inf", "∞");
  const text = x === 0 ? "0" : Math.abs(x) >= 1e6 || Math.abs(x) < 1e-4 ? x.toExponential(digits - 3) : String(+x.toPrecision(digits));
  return text.replaceAll("-", "−").replace("e+", "e");
}

function bytes(count) {
  const units = ["B", "kB", "MB", "GB"];
  let i = 0;
  while (count >= 1000 && i < 3) { count /= 1000; i++; }
  return (count >= 10 || !i ? Math.round(count) : count.toFixed(1)) + " " + units[i];
}

function duration(us) {
  return us >= 1e6 ? (us / 1e6).toFixed(2) + " s" : us >= 1000 ? (us / 1000).toFixed(us >= 1e4 ? 0 : 1) + " ms" : Math.round(us) + " µs";
}
