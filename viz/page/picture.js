// Draws a scene as SVG, and moves it: drag, wheel, pinch. Knows nothing of playback or panels.
"use strict";

const SVG = "http://www.w3.org/2000/svg";
const FONT = { title: "600 14px", note: "11.5px", tag: "12px" };
const SANS = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, 'Liberation Sans', sans-serif";
const TAG_HEIGHT = 22, TAG_STEP = 27, TAG_GAP = 26;

const ruler = document.createElement("canvas").getContext("2d");
function widthOf(text, font) {
  ruler.font = font + " " + SANS;
  return ruler.measureText(text).width;
}

function svg(name, attributes = {}, ...children) {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) if (value !== undefined) element.setAttribute(key, value);
  for (const child of children) if (child) element.append(child);
  return element;
}

class Picture {
  constructor(root, model) {
    this.root = root;
    this.model = model;
    this.view = root.querySelector("#view");
    this.at = { x: 0, y: 0, scale: 1 };
    this.pointers = new Map();
    this.moved = false;
    this.listen();
  }

  // ---------------------------------------------------------------- drawing

  draw() {
    const scene = (this.scene = this.model.scene());
    scene.boxes.forEach((box) => this.measure(box));
    this.layout = nested({
      blocks: scene.boxes.map((b) => b.block),
      lines: scene.lines.map((l) => [l.from, l.to]),
      parents: scene.frames.map((f) => f.parent),
      frameOf: scene.boxes.map((b) => b.frame),
      titles: scene.frames.map((f) => widthOf(f.title + " ×000   " + f.note, "600 12.5px") + 60),
    });
    this.elements = new Map();
    const frames = svg("g", { class: "frames" }), lines = svg("g", { class: "lines" });
    const labels = svg("g", { class: "labels", "aria-hidden": "true" }), boxes = svg("g", { class: "boxes" });
    scene.frames.forEach((frame, f) => f && frames.append(this.drawFrame(frame, this.layout.bounds[f], f, labels)));
    for (const line of scene.lines) Object.assign(line, { paths: [], gradient: null });
    for (const route of this.layout.routes) {
      const path = svg("path", { d: curve(route.points), class: "line" + (route.tip ? " tip" : "") });
      for (const line of scene.lines) if (line.from === route.origin && this.uses(line, route)) line.paths.push(path);
      lines.append(path);
    }
    scene.boxes.forEach((box, i) => boxes.append(this.drawBox(box, this.layout.centres[i])));
    const arriving = this.layout.routes.filter((route) => route.tip), ends = new Map(scene.lines.map((line) => [line.to, []]));
    for (const route of arriving) ends.get(scene.lines[route.line].to).push(route.points[route.points.length - 1][0]);
    for (const route of arriving) this.labelGradient(scene.lines[route.line], route, labels, ends);
    this.labelSources(labels);
    this.view.replaceChildren(frames, lines, labels, boxes);
  }

  // Whether a piece belongs to a line; pieces up to a border are shared by the lines from one box.
  uses(line, route) {
    return route.tip ? this.scene.lines[route.line] === line : true;
  }

  measure(box) {
    const value = this.scalar(box);
    const title = clipped(box.title);
    const heading = box.times > 1 ? title + " ×" + box.times : title + (value ? " = " + value : "");
    box.small = clipped(box.note);
    box.number = value;
    box.gradient = !(box.many > 1) && ["variable", "parameter"].includes(box.kind) ? this.derivative(box.node) : "";
    const half = Math.max(28, (Math.max(...[box.small, box.gradient].map((t) => widthOf(t, FONT.note)), widthOf(heading, FONT.title)) + 28) / 2);
    box.tags.forEach((tag) => {
      const name = this.model.label(tag.node), owner = box.node !== undefined ? this.model.nodes[box.node].module : "";
      tag.text = tag.many > 1 ? tag.many + " × data" : clipped(below(name, owner) || name);
      tag.said = tag.many > 1 ? "" : this.model.said(tag.node);
      tag.width = widthOf(tag.text, FONT.tag) + widthOf(tag.said, FONT.note) + (tag.said ? 30 : 20);
    });
    const left = box.tags.length ? half + TAG_GAP + Math.max(...box.tags.map((t) => t.width)) : half;
    const height = Math.max(box.note || box.gradient ? 46 : 34, box.tags.length * TAG_STEP);
    box.block = { left, right: Math.max(half, 74), height, half };
    box.heading = heading;
  }

  // The number that a variable or output is, if it is one: it stands in the box.
  scalar(box) {
    if (box.kind === "op" || box.kind === "group" || box.many > 1 || this.model.nodes[box.node].shapes[0].length) return "";
    const said = this.model.said(box.node);
    return said === "scalar" ? "" : said;
  }

  // The gradient of a leaf, where it is one number: the derivative of the output.
  derivative(node) {
    const gradient = this.model.nodes[node].grads?.[0], name = this.model.nodes[node].name;
    if (!gradient || gradient[SHAPE].length || gradient[NUMBERS] === null) return "";
    const output = this.model.outputs.length === 1 ? this.model.nodes[this.model.outputs[0]].name || "y" : "";
    return (output && name ? `∂${output}/∂${name} = ` : "gradient ") + number(gradient[NUMBERS]);
  }

  drawFrame(frame, at, index, titles) {
    const many = frame.times > 1 ? " ×" + frame.times : "";
    const depth = this.depth(index);
    const text = svg("text", { x: at.x + 30, y: at.y + 23, class: "frame-title depth" + (depth % 2) });
    text.append(svg("tspan", {}), svg("tspan", { class: "frame-note", dx: 7 }));
    text.children[0].textContent = frame.title + many;
    text.children[1].textContent = frame.note;
    titles.append(text);
    const button = svg("g", { class: "frame-close", role: "button", "aria-label": "Close " + frame.title + " " + frame.note, "data-close": frame.number },
      svg("rect", { x: at.x + 8, y: at.y + 10, width: 17, height: 17, rx: 5 }),
      svg("path", { d: `M${at.x + 12.5} ${at.y + 18.5}h8` }));
    return svg("g", { class: "frame depth" + (depth % 2) },
      svg("rect", { x: at.x, y: at.y, width: at.width, height: at.height, rx: 12, "data-close": "" }), button);
  }

  depth(frame) {
    let depth = 0;
    while (frame) { frame = this.scene.frames[frame].parent; depth++; }
    return depth;
  }

  drawBox(box, [x, y]) {
    const { half, height } = box.block, top = y - height / 2;
    const group = svg("g", { class: "box " + box.kind, "data-key": box.key, role: "button", tabindex: -1, "aria-label": this.spoken(box) });
    const hint = svg("title");
    hint.textContent = [box.title, box.note, box.kind === "group" ? "" : this.model.nodes[box.node].shapes.map(shapeText).join(", ")].filter(Boolean).join("\n");
    group.append(hint);
    const radius = box.kind === "op" || box.kind === "group" ? 8 : Math.min(17, height / 2);
    for (const back of box.times > 1 ? [8, 4, 0] : [0]) {
      group.append(svg("rect", { x: x - half + back, y: top - back, width: 2 * half, height, rx: radius, class: "body" }));
    }
    const second = box.small || box.gradient;
    group.append(words(x, second ? y - 4 : y + 5, box.heading, "title"));
    if (second) group.append(words(x, y + 13, second, box.gradient ? "gradient" : "note"));
    box.tags.forEach((tag, i) => group.append(this.drawTag(tag, x - half, y + (i - (box.tags.length - 1) / 2) * TAG_STEP)));
    Object.assign(box, { x, y, element: group });
    this.elements.set(box.key, box);
    return group;
  }

  spoken(box) {
    const kind = box.kind === "group" ? "group, closed" : box.kind === "op" ? "operation" : box.kind;
    return [box.title, box.times > 1 ? "times " + box.times : box.number, box.gradient, box.note, kind].filter(Boolean).join(", ");
  }

  drawTag(tag, edge, y) {
    const right = edge - TAG_GAP, n = this.model.nodes[tag.node];
    const element = svg("g", { class: "tag " + n.kind, "data-key": tag.many > 1 ? undefined : "n" + tag.node },
      svg("path", { d: `M${right} ${y}H${edge}`, class: "line tip" }),
      svg("rect", { x: right - tag.width, y: y - TAG_HEIGHT / 2, width: tag.width, height: TAG_HEIGHT, rx: TAG_HEIGHT / 2, class: "body" }),
      words(right - tag.width + 10, y + 4, tag.text, "tag-text", "start"),
      tag.said ? words(right - 10, y + 4, tag.said, "tag-shape", "end") : null);
    tag.element = element;
    return element;
  }

  // What leaves a box stands below it, beside its line: on the left if all its lines bend to the right.
  labelSources(labels) {
    const { boxes, lines } = this.scene;
    boxes.forEach((box, i) => {
      const said = [...new Set(lines.filter((l) => l.from === i && l.label !== box.number).map((l) => l.label))];
      if (!said.length) return;
      const turns = new Set();
      for (const route of this.layout.routes) {
        if (route.origin !== i || !route.start) continue;
        const turn = route.points.find(([px]) => Math.abs(px - box.x) > 3);
        turns.add(turn ? turn[0] > box.x : null);
      }
      turns.delete(null);
      const side = turns.size === 1 && turns.has(true) ? -1 : 1;
      (said.length > 2 ? [said[0], "and " + (said.length - 1) + " more"] : said).forEach((text, k) => {
        labels.append(words(box.x + 8 * side, box.y + box.block.height / 2 + 13 + 12 * k, text, "value", side > 0 ? "start" : "end"));
      });
    });
  }

  // The gradient that comes back along a line, beside its end.
  labelGradient(line, route, labels, ends) {
    const target = this.scene.boxes[line.to];
    const edge = line.edges[0], gradient = edge === undefined ? this.outputGradient(line.source) : this.model.edgeGradient(edge);
    if (!gradient || gradient[NUMBERS] === null || gradient[SHAPE].length || line.edges.length > 1 || target.kind === "group") return;
    const [x, y] = route.points[route.points.length - 1];
    const right = x > target.x + 1, inner = ends.get(line.to).filter((end) => (right ? end > x + 1 : end < x - 1)).length;
    line.gradient = words(x + (right ? 11 : -11), y - 9 - 13 * inner, number(gradient[NUMBERS]), "gradient", right ? "start" : "end");
    labels.append(line.gradient);
  }

  outputGradient(node) {
    const step = this.model.steps[this.model.stepOf.get(node)];
    return step ? step.in[0] : null;
  }

  // ---------------------------------------------------------------- moving

  place() {
    const { x, y, scale } = this.at;
    this.view.setAttribute("transform", `translate(${x.toFixed(2)} ${y.toFixed(2)}) scale(${scale.toFixed(4)})`);
  }

  size() {
    return [this.root.clientWidth || 800, this.root.clientHeight || 600];
  }

  // All of it, or, where that would be too small to read, its width, from the top.
  fit(everything = false) {
    const [w, h] = this.size(), margin = 28, { width, height } = this.layout.bounds[0];
    const whole = Math.min((w - 2 * margin) / width, (h - 2 * margin) / height, 1.15);
    let scale = whole, x = (w - width * scale) / 2;
    if (!everything && whole < 0.62) {
      scale = Math.min(Math.max((w - 2 * margin) / width, 0.62), 0.95);
      x = width * scale <= w ? (w - width * scale) / 2 : Math.min(margin, w / 2 - this.scene.boxes[0].x * scale);
    }
    this.at = { scale, x, y: scale === whole ? (h - height * scale) / 2 : margin };
    this.place();
  }

  zoom(factor, cx, cy) {
    const [w, h] = this.size();
    cx ??= w / 2;
    cy ??= h / 2;
    const scale = Math.min(4, Math.max(0.03, this.at.scale * factor)), ratio = scale / this.at.scale;
    this.at = { scale, x: cx - (cx - this.at.x) * ratio, y: cy - (cy - this.at.y) * ratio };
    this.place();
  }

  // Moves a box into view if it is not there, or too near to a border.
  show(box, centre = false) {
    const [w, h] = this.size(), { scale } = this.at;
    const x = box.x * scale + this.at.x, y = box.y * scale + this.at.y;
    const inside = x > 110 && x < w - 110 && y > 60 && y < h - 70;
    if (inside && !centre) return;
    this.at.x += w / 2 - x;
    this.at.y += h / 2 - y;
    this.place();
  }

  // Keeps a point of the picture where it is on the screen while the picture is drawn anew.
  redraw(key) {
    const before = this.elements?.get(key), screen = before && [before.x * this.at.scale + this.at.x, before.y * this.at.scale + this.at.y];
    this.draw();
    return screen;
  }

  hold(box, screen) {
    if (!box || !screen) return;
    this.at.x = screen[0] - box.x * this.at.scale;
    this.at.y = screen[1] - box.y * this.at.scale;
    this.place();
  }

  listen() {
    const root = this.root;
    root.addEventListener("wheel", (event) => {
      event.preventDefault();
      const box = root.getBoundingClientRect();
      const step = event.deltaMode ? event.deltaY * 24 : event.deltaY;
      this.zoom(Math.exp(-Math.max(-120, Math.min(120, step)) / 400), event.clientX - box.left, event.clientY - box.top);
    }, { passive: false });
    root.addEventListener("pointerdown", (event) => {
      if (event.button) return;
      this.pointers.set(event.pointerId, [event.clientX, event.clientY]);
      this.moved = this.pointers.size > 1;
    });
    root.addEventListener("pointermove", (event) => this.drag(event));
    for (const name of ["pointerup", "pointercancel", "pointerleave"]) {
      root.addEventListener(name, (event) => this.pointers.delete(event.pointerId));
    }
  }

  drag(event) {
    const last = this.pointers.get(event.pointerId);
    if (!last) return;
    const now = [event.clientX, event.clientY], others = [...this.pointers].filter(([id]) => id !== event.pointerId);
    if (others.length) {
      const [, [ox, oy]] = others[0], before = Math.hypot(last[0] - ox, last[1] - oy), after = Math.hypot(now[0] - ox, now[1] - oy);
      const box = this.root.getBoundingClientRect();
      this.zoom(after / Math.max(before, 1), ox - box.left, oy - box.top);
    } else if (this.moved || Math.hypot(now[0] - last[0], now[1] - last[1]) > 4) {
      if (!this.moved) this.root.setPointerCapture(event.pointerId);
      this.moved = true;
      this.at.x += now[0] - last[0];
      this.at.y += now[1] - last[1];
      this.place();
    } else return;
    this.pointers.set(event.pointerId, now);
  }
}

function words(x, y, text, className, anchor = "middle") {
  const element = svg("text", { x: x.toFixed(1), y: y.toFixed(1), class: className, "text-anchor": anchor });
  element.textContent = text;
  return element;
}

function curve([first, ...rest]) {
  const text = rest.map(([x, y]) => x.toFixed(1) + " " + y.toFixed(1)).join(" ");
  return `M${first[0].toFixed(1)} ${first[1].toFixed(1)}` + (text ? " C" + text : "");
}
