// The forward and the backward pass as a film: what has run, what runs now, and what the panel says about it.
"use strict";

class Playback {
  constructor(model, picture, panel, controls, follow) {
    Object.assign(this, { model, picture, panel, controls, follow });
    this.order = [...model.ops.map((node) => ({ node, back: false })), ...model.steps.map((s, i) => ({ node: s.node, back: true, step: i }))];
    this.at = null; // how many have run; null: not playing, everything is shown
    this.timer = null;
    controls.slider.max = this.order.length;
    controls.slider.value = this.order.length;
  }

  get playing() { return this.timer !== null; }

  // The operations that run in one go: one, or all in a row that a closed group hides.
  stretch(index, direction = 1) {
    const { place, boxes } = this.picture.scene, entry = this.order[index];
    if (!entry) return [];
    const box = place.get(entry.node), found = [index];
    if (boxes[box].kind !== "group") return found;
    for (let i = index + direction; this.order[i] && this.order[i].back === entry.back && place.get(this.order[i].node) === box; i += direction) found.push(i);
    return direction > 0 ? found : found.reverse();
  }

  forward() {
    const at = this.at === null || this.at >= this.order.length ? 0 : this.at;
    const next = this.stretch(at);
    this.show(next.length ? next[next.length - 1] + 1 : at);
  }

  backward() {
    const at = this.at === null ? this.order.length : this.at;
    if (at > 0) this.show(this.stretch(at - 1, -1)[0]);
  }

  toggle() {
    if (this.playing) return this.pause();
    if (this.at === null || this.at >= this.order.length) this.show(0);
    const beat = () => {
      if (this.at >= this.order.length) return this.pause();
      this.forward();
      this.timer = setTimeout(beat, this.delay());
    };
    this.timer = setTimeout(beat, 150);
    this.mark();
  }

  delay() { return { slow: 2600, normal: 1200, fast: 300 }[this.controls.speed.value]; }

  pause() {
    clearTimeout(this.timer);
    this.timer = null;
    this.mark();
  }

  mark() {
    this.controls.play.setAttribute("aria-label", this.playing ? "Pause" : "Play");
    this.controls.play.classList.toggle("on", this.playing);
  }

  stop() {
    this.pause();
    this.at = null;
    this.paint();
  }

  show(at) {
    this.at = at;
    this.paint();
    const last = at ? this.stretch(at - 1, -1) : [];
    this.say(last);
    const entry = this.order[at - 1];
    if (entry) this.follow(this.picture.scene.boxes[this.picture.scene.place.get(entry.node)]);
  }

  // Who is done, who runs, and who waits; called again after the picture was drawn anew.
  paint() {
    const { scene, view } = this.picture, on = this.at !== null;
    view.classList.toggle("playing", on);
    this.controls.slider.value = on ? this.at : this.order.length;
    this.controls.text.textContent = this.position();
    const ran = new Map(), returned = new Map();
    this.order.forEach((entry, i) => (entry.back ? returned : ran).set(entry.node, i));
    const isDone = (node) => !on || !ran.has(node) || ran.get(node) < this.at;
    const isBack = (node) => !on || (returned.has(node) && returned.get(node) < this.at);
    const current = on && this.at ? this.order[this.at - 1] : null;
    const active = current ? scene.boxes[scene.place.get(current.node)] : null;
    scene.boxes.forEach((box) => {
      const nodes = box.group === undefined ? [box.node] : this.model.groups.get(box.group).ops;
      const waits = box.kind === "output" ? !isDone(box.node) : nodes.every((n) => !isDone(n));
      box.element.classList.toggle("pending", waits);
      box.element.classList.toggle("current", box === active);
      box.element.classList.toggle("backwards", box === active && current.back);
      box.element.classList.toggle("returned", on && this.complete(box, isBack));
    });
    for (const line of scene.lines) this.paintLine(line, isDone, isBack, active, current, on);
  }

  // Whether a leaf has its whole gradient.
  complete(box, isBack) {
    if (box.kind !== "variable" && box.kind !== "parameter") return false;
    return this.model.outof[box.node].every((e) => isBack(this.model.edges[e][1]) || !this.model.stepOf.has(this.model.edges[e][1]));
  }

  paintLine(line, isDone, isBack, active, current, on) {
    const from = this.picture.scene.boxes[line.from], to = this.picture.scene.boxes[line.to];
    const target = line.edges.length ? this.model.edges[line.edges[line.edges.length - 1]][1] : null;
    const carried = line.source === undefined || isDone(line.source);
    const gradient = target === null ? on && this.order.slice(0, this.at).some((e) => e.back) : isBack(target);
    const noGradient = current?.back && line.source !== undefined && this.model.nodes[line.source].kind === "data";
    const isActive = active && !noGradient && ((!current.back && to === active) || (current.back && to === active && target !== null) || (!current.back && from === active && target === null));
    for (const path of line.paths) {
      path.classList.toggle("pending", !carried);
      path.classList.toggle("flow", Boolean(isActive && !current.back));
      path.classList.toggle("back", Boolean(isActive && current.back));
    }
    if (line.gradient) line.gradient.classList.toggle("hidden", on && !gradient);
  }

  position() {
    const forward = this.model.ops.length, { at } = this;
    if (at === null) return "all steps";
    if (at === 0) return "before the first operation";
    return at <= forward ? `forward ${at} of ${forward}` : `backward ${at - forward} of ${this.order.length - forward}`;
  }

  say(indices) {
    if (!indices.length) { this.panel.overview(); this.controls.live.textContent = "Before the first operation"; return; }
    const entries = indices.map((i) => this.order[i]), last = entries[entries.length - 1], position = this.position();
    const box = this.picture.scene.boxes[this.picture.scene.place.get(last.node)];
    if (box.kind === "group") this.panel.hiddenStep(this.model.groups.get(box.group), entries.map((e) => e.node), last.back, position);
    else if (last.back) this.panel.backwardStep(last.step, position);
    else this.panel.forwardStep(last.node, position);
    this.controls.live.textContent = position + ": " + box.heading;
  }
}
