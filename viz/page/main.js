// Wires the parts together: selection, search, keys, themes.
"use strict";

(function main() {
  const find = (id) => document.getElementById(id);
  const model = new GraphModel(JSON.parse(find("data").textContent), innerWidth < 760 ? 16 : null);
  const picture = new Picture(find("canvas"), model);
  const panel = new Panel(find("panel"), model, select);
  const controls = { slider: find("slider"), play: find("play"), text: find("position"), speed: find("speed"), live: find("live") };
  let selected = null;

  picture.draw();
  const playback = new Playback(model, picture, panel, controls, (box) => { highlight(box.key); picture.show(box); });
  playback.paint();
  picture.fit();
  panel.overview();
  roving();
  listenToPicture();
  listenToControls();
  listenToKeys();
  window.graphview = { model, picture, playback, select }; // for the console, and for tests

  // ---------------------------------------------------------------- selection

  // Shows what a key ("n3", "g5", "o7") stands for; opens closed groups around it, or toggles the group itself.
  function select(key, move = false, toggle = false) {
    const number = +key.slice(1);
    if (key[0] === "g" && toggle) return toggleGroup(number);
    if (key[0] === "n" && !shownBox(key)) {
      model.reveal(number);
      redraw();
    }
    playback.pause();
    const box = shownBox(key);
    highlight(box ? box.key : null);
    if (box && move) picture.show(box);
    if (key[0] === "g") panel.group(number, model.opened.has(number));
    else panel.node(number);
    document.body.classList.add("with-panel");
  }

  // The box of a key: its own, or the one that has it as a tag at its side.
  function shownBox(key) {
    const own = picture.elements.get(key);
    if (own || key[0] !== "n") return own;
    const at = picture.scene.place.get(+key.slice(1));
    if (at !== undefined && model.nodes[+key.slice(1)].kind !== "op") return picture.scene.boxes[at];
    return picture.scene.boxes.find((box) => box.tags.some((tag) => "n" + tag.node === key && !(tag.many > 1)));
  }

  function highlight(key) {
    selected = key;
    for (const [k, box] of picture.elements) {
      box.element.classList.toggle("selected", k === key);
      box.element.setAttribute("tabindex", k === key ? 0 : -1);
    }
    roving();
  }

  // One box can be reached by Tab: the selected one, or the first.
  function roving() {
    if (!selected || !picture.elements.has(selected)) {
      const first = picture.scene.boxes[0];
      if (first) first.element.setAttribute("tabindex", 0);
    }
  }

  function toggleGroup(number) {
    const open = model.opened.has(number), group = model.groups.get(number);
    const before = picture.elements.get("g" + number) || picture.elements.get(keyOf(group.ops[0]));
    const screen = before && [before.x * picture.at.scale + picture.at.x, before.y * picture.at.scale + picture.at.y];
    if (open) model.close(number);
    else model.open(number);
    redraw();
    const box = picture.elements.get("g" + number) || picture.elements.get(keyOf(group.ops[0]));
    picture.hold(box, screen);
    highlight(box.key);
    picture.show(box);
    panel.group(number, !open);
    if (document.activeElement === document.body || picture.root.contains(document.activeElement)) box.element.focus({ preventScroll: true });
  }

  function keyOf(node) {
    return picture.scene.boxes[picture.scene.place.get(node)].key;
  }

  function redraw() {
    picture.draw();
    highlight(picture.elements.has(selected) ? selected : null);
    playback.paint();
  }

  // After all groups were opened or closed.
  function refresh() {
    redraw();
    picture.fit();
    if (playback.at !== null) playback.show(playback.at);
  }

  function listenToPicture() {
    picture.root.addEventListener("click", (event) => {
      if (picture.moved) return;
      const closing = event.target.closest("[data-close]"), target = event.target.closest("[data-key]");
      if (target) {
        const key = target.dataset.key;
        const outer = target.closest(".box");
        if (key[0] === "g" && selected === key) toggleGroup(+key.slice(1));
        else select(key[0] === "o" ? "n" + key.slice(1) : key);
        if (key[0] === "o") highlight(key);
        outer?.focus({ preventScroll: true });
      } else if (closing?.dataset.close) toggleGroup(+closing.dataset.close);
      else if (!event.target.closest(".box")) overview();
    });
    picture.root.addEventListener("focusin", (event) => {
      const box = event.target.closest(".box");
      if (box && box.dataset.key !== selected && box.matches(":focus-visible")) go(picture.elements.get(box.dataset.key));
    });
    picture.root.addEventListener("dblclick", (event) => {
      const key = event.target.closest("[data-key]")?.dataset.key;
      if (key?.[0] === "g") toggleGroup(+key.slice(1));
    });
  }

  function overview() {
    playback.stop();
    highlight(null);
    panel.overview();
    document.body.classList.remove("with-panel");
  }

  // ---------------------------------------------------------------- controls

  function listenToControls() {
    const on = (id, action) => find(id).addEventListener("click", action);
    on("play", () => playback.toggle());
    on("next", () => { playback.pause(); playback.forward(); });
    on("back", () => { playback.pause(); playback.backward(); });
    on("first", () => { playback.pause(); playback.show(0); });
    on("last", () => { playback.pause(); playback.show(playback.order.length); });
    controls.slider.addEventListener("input", () => { playback.pause(); playback.show(+controls.slider.value); });
    on("zoom-in", () => picture.zoom(1.25));
    on("zoom-out", () => picture.zoom(0.8));
    on("fit", () => picture.fit(true));
    on("open-all", () => {
      if (!model.openAll(1200)) { tell(`${model.ops.length.toLocaleString("en")} operations are too many to show at once: open groups one by one.`); return; }
      refresh();
    });
    on("close-all", () => { model.closeAll(); refresh(); });
    on("theme", switchTheme);
    find("search").addEventListener("input", search);
    find("search").addEventListener("keydown", searchKeys);
    find("search").addEventListener("blur", () => setTimeout(() => closeResults(), 150));
    for (const id of ["play", "next", "back", "first", "last", "slider", "speed"]) find(id).disabled = !model.ops.length;
    new ResizeObserver(() => picture.place()).observe(picture.root);
  }

  function tell(text) {
    const box = find("message");
    box.textContent = text;
    box.hidden = false;
    clearTimeout(tell.timer);
    tell.timer = setTimeout(() => (box.hidden = true), 4000);
  }

  function switchTheme() {
    const dark = document.documentElement.dataset.theme
      ? document.documentElement.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
    document.documentElement.dataset.theme = dark ? "light" : "dark";
    find("theme").setAttribute("aria-label", dark ? "Dark colours" : "Light colours");
  }

  // ---------------------------------------------------------------- search

  function search() {
    const text = find("search").value.trim().toLowerCase(), list = find("results");
    picture.view.classList.toggle("searching", text.length > 0);
    if (!text) return closeResults();
    const hits = model.nodes.filter((n) => (n.op + " " + n.name + " " + n.module + " " + (n.site || "")).toLowerCase().includes(text));
    hits.sort((a, b) => rank(a, text) - rank(b, text));
    const shown = new Set(hits.map((n) => shownBoxOrGroup(n.id)));
    for (const box of picture.scene.boxes) box.element.classList.toggle("hit", shown.has(box));
    list.replaceChildren(...hits.slice(0, 40).map((n, i) => {
      const item = el("li", el("b", n.kind === "op" ? n.op : model.label(n.id)), el("span.note", " " + [n.kind === "op" ? n.name : n.kind, n.module].filter(Boolean).join(" · ")));
      item.id = "hit" + i;
      item.setAttribute("role", "option");
      item.setAttribute("aria-selected", i === 0);
      item.addEventListener("pointerdown", (event) => { event.preventDefault(); choose(n.id); });
      item.dataset.node = n.id;
      return item;
    }));
    if (!hits.length) list.append(el("li.note", "nothing found"));
    if (hits.length > 40) list.append(el("li.note", `and ${(hits.length - 40).toLocaleString("en")} more`));
    list.hidden = false;
    find("search").setAttribute("aria-expanded", "true");
    find("search").setAttribute("aria-activedescendant", hits.length ? "hit0" : "");
  }

  // Names that begin with the text come first, then operations, then parameters.
  function rank(n, text) {
    const begins = [n.op, n.name, n.module].some((word) => word.toLowerCase().startsWith(text));
    return (begins ? 0 : 2) + (n.kind === "op" ? 0 : 1);
  }

  function shownBoxOrGroup(id) {
    const at = picture.scene.place.get(id);
    return at === undefined ? shownBox("n" + id) : picture.scene.boxes[at];
  }

  function searchKeys(event) {
    const items = [...find("results").querySelectorAll("[role=option]")], now = items.findIndex((i) => i.getAttribute("aria-selected") === "true");
    if (event.key === "Escape") { find("search").value = ""; search(); find("search").blur(); }
    if (event.key === "Enter" && items[now]) choose(+items[now].dataset.node);
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (!step || !items.length) return;
    event.preventDefault();
    const next = (now + step + items.length) % items.length;
    items.forEach((item, i) => item.setAttribute("aria-selected", i === next));
    items[next].scrollIntoView({ block: "nearest" });
    find("search").setAttribute("aria-activedescendant", items[next].id);
  }

  function choose(id) {
    closeResults();
    find("search").blur();
    picture.view.classList.remove("searching");
    if (!picture.elements.has("n" + id) && model.nodes[id].kind === "op") { model.reveal(id); redraw(); }
    select("n" + id, false);
    const box = shownBox("n" + id);
    if (!box) return;
    picture.zoom(Math.max(1, 0.9 / picture.at.scale));
    picture.show(box, true);
    box.element.focus({ preventScroll: true });
  }

  function closeResults() {
    find("results").hidden = true;
    find("search").setAttribute("aria-expanded", "false");
    if (!find("search").value) picture.view.classList.remove("searching");
  }

  // ---------------------------------------------------------------- keys

  function listenToKeys() {
    document.addEventListener("keydown", (event) => {
      const tag = event.target.tagName;
      if (event.ctrlKey || event.metaKey || event.altKey || tag === "SELECT" || (tag === "INPUT" && event.target.type !== "range")) return;
      const onSlider = event.target === controls.slider, onButton = tag === "BUTTON" || tag === "SUMMARY";
      const actions = {
        "/": () => find("search").focus(),
        Escape: overview,
        "+": () => picture.zoom(1.25), "=": () => picture.zoom(1.25), "-": () => picture.zoom(0.8), 0: () => picture.fit(true),
        ArrowRight: () => { playback.pause(); playback.forward(); },
        ArrowLeft: () => { playback.pause(); playback.backward(); },
      };
      if (!onButton) actions[" "] = () => playback.toggle();
      if (!onSlider) Object.assign(actions, { ArrowUp: () => neighbour(false), ArrowDown: () => neighbour(true) });
      if (event.target.closest?.(".box, .frame-close") || event.target === document.body) {
        actions.Enter = () => enter(event.target);
        if (selected || event.target.closest?.(".box")) actions.Tab = () => walk(event.shiftKey ? -1 : 1);
      }
      const action = actions[event.key];
      if (!action) return;
      if (event.key === "Tab" && !walkable(event.shiftKey ? -1 : 1)) return;
      event.preventDefault();
      action();
    });
  }

  function enter() {
    if (!selected) return;
    if (selected[0] === "g") return toggleGroup(+selected.slice(1));
    const group = selected[0] === "n" ? model.innermost.get(+selected.slice(1)) : null;
    if (group && group !== model.root) toggleGroup(group.number);
  }

  // To a box that the selected one reads, or one that reads it.
  function neighbour(down) {
    const { boxes, lines } = picture.scene;
    if (!selected) return go(boxes[down ? 0 : boxes.length - 1]);
    const at = boxes.findIndex((b) => b.key === selected);
    const line = lines.find((l) => (down ? l.from : l.to) === at);
    if (line) go(boxes[down ? line.to : line.from]);
  }

  function walkable(step) {
    const at = picture.scene.boxes.findIndex((b) => b.key === selected);
    return at >= 0 && at + step >= 0 && at + step < picture.scene.boxes.length;
  }

  function walk(step) {
    go(picture.scene.boxes[picture.scene.boxes.findIndex((b) => b.key === selected) + step]);
  }

  function go(box) {
    if (!box) return;
    select(box.kind === "output" ? "n" + box.node : box.key);
    highlight(box.key);
    picture.show(box);
    box.element.focus({ preventScroll: true });
  }
})();
