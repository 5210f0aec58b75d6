// A layered layout of boxes within frames, from top to bottom: the method of layout.py and nesting.py.
"use strict";

const ROW_GAP = 58, SIDE_GAP = 30, LINE_WIDTH = 10, PORT_GAP = 18, SWEEPS = 12;
const PAD = 18, HEAD = 40, PORT = 7;

// blocks: {left, right, height, half, pin}; links: [from, to, start offset or null, end offset or null].
function layered(blocks, links) {
  if (!blocks.length) return { centres: [], routes: [], width: 0, height: 0 };
  blocks = [...blocks];
  const real = blocks.length;
  const row = rowsOf(blocks, links);
  const chains = joined(blocks, links, row);
  const rows = Array.from({ length: Math.max(...row) + 1 }, () => []);
  row.forEach((r, i) => rows[r].push(i));
  const above = row.map(() => []), below = row.map(() => []), seen = new Set();
  for (const chain of chains) {
    for (let i = 1; i < chain.length; i++) {
      const key = chain[i - 1] + "," + chain[i];
      if (seen.has(key)) continue;
      seen.add(key);
      above[chain[i]].push(chain[i - 1]);
      below[chain[i - 1]].push(chain[i]);
    }
  }
  const ordered = order(rows, above, below);
  const apart = (a, b) => blocks[a].right + blocks[b].left + [SIDE_GAP, SIDE_GAP / 2, 4][(a >= real) + (b >= real)];
  const x = places(ordered, above, below, (m) => m >= real, apart);
  return finished(blocks, links, real, row, ordered, chains, x);
}

// Longest path from the top; what reads from nothing moves down to just above its first reader.
function rowsOf(blocks, links) {
  const row = blocks.map(() => 0), reads = blocks.map((b) => b.pin < 0);
  for (const [a, b] of [...links].sort((p, q) => p[1] - q[1])) {
    row[b] = Math.max(row[b], row[a] + 1);
    reads[b] = true;
  }
  const last = Math.max(...row);
  blocks.forEach((b, i) => { if (b.pin > 0) row[i] = last; });
  const first = new Map();
  for (const [a, b] of links) first.set(a, Math.min(first.has(a) ? first.get(a) : row[b], row[b]));
  return row.map((r, i) => (reads[i] || !first.has(i) ? r : first.get(i) - 1));
}

// For each link its source, a joint in every row that it crosses, its target. Lines from one place share joints.
function joined(blocks, links, row) {
  const joints = new Map();
  return links.map(([a, b, start]) => {
    const chain = [a];
    for (let r = row[a] + 1; r < row[b]; r++) {
      const key = a + "," + start + "," + r;
      if (!joints.has(key)) {
        joints.set(key, blocks.length);
        blocks.push({ left: LINE_WIDTH / 2, right: LINE_WIDTH / 2, height: 0, half: 0 });
        row.push(r);
      }
      chain.push(joints.get(key));
    }
    return [...chain, b];
  });
}

// Rows sorted by the mean place of neighbours, down and up in turns; the order with fewest crossings is kept.
function order(rows, above, below) {
  const position = new Array(above.length).fill(0);
  const number = () => rows.forEach((members) => members.forEach((m, i) => (position[m] = i)));
  number();
  let best = rows.map((r) => [...r]), fewest = crossings(rows, below, position);
  for (let sweep = 0; sweep < SWEEPS && fewest; sweep++) {
    const near = sweep % 2 ? below : above;
    for (const members of sweep % 2 ? [...rows].reverse() : rows) {
      const key = new Map(members.map((m) => {
        const others = near[m];
        return [m, others.length ? others.reduce((s, n) => s + position[n], 0) / others.length : position[m]];
      }));
      members.sort((a, b) => key.get(a) - key.get(b));
      members.forEach((m, i) => (position[m] = i));
    }
    const count = crossings(rows, below, position);
    if (count < fewest) [best, fewest] = [rows.map((r) => [...r]), count];
  }
  return best;
}

// Pairs of lines that cross, counted as inversions in a Fenwick tree.
function crossings(rows, below, position) {
  let total = 0;
  for (let r = 0; r + 1 < rows.length; r++) {
    const tree = new Array(rows[r + 1].length + 1).fill(0);
    let seen = 0;
    for (const m of [...rows[r]].sort((a, b) => position[a] - position[b])) {
      const ends = below[m].map((b) => position[b]);
      for (const end of ends) {
        let before = 0;
        for (let i = end + 1; i; i &= i - 1) before += tree[i];
        total += seen - before;
      }
      for (const end of ends) for (let i = end + 1; i < tree.length; i += i & -i) tree[i]++;
      seen += ends.length;
    }
  }
  return total;
}

function finished(blocks, links, real, row, rows, chains, x) {
  const shift = -Math.min(...blocks.map((b, i) => x[i] - b.left));
  x = x.map((v) => v + shift);
  const heights = rows.map((members) => Math.max(...members.map((m) => blocks[m].height)));
  const tops = [];
  let y = 0;
  for (const h of heights) { tops.push(y); y += h + ROW_GAP; }
  const middle = row.map((r) => tops[r] + heights[r] / 2);
  const ends = ports(blocks, links, chains, x);
  const routes = chains.map((chain, link) => {
    const a = chain[0], b = chain[chain.length - 1];
    let at = [x[a] + (links[link][2] || 0), middle[a] + blocks[a].height / 2];
    const route = [at];
    at = straightDown(route, at, tops[row[a]] + heights[row[a]]);
    for (const joint of chain.slice(1, -1)) {
      at = curved(route, at, [x[joint], tops[row[joint]]]);
      at = straightDown(route, at, tops[row[joint]] + heights[row[joint]]);
    }
    at = curved(route, at, [ends[link], tops[row[b]]]);
    straightDown(route, at, middle[b] - blocks[b].height / 2);
    return route;
  });
  const width = Math.max(...blocks.map((b, i) => x[i] + b.right));
  return { centres: x.slice(0, real).map((v, i) => [v, middle[i]]), routes, width, height: y - ROW_GAP };
}

// Where each line meets its target: side by side on the upper edge, in the order of arrival.
function ports(blocks, links, chains, x) {
  const arriving = new Map();
  const ends = chains.map((chain, link) => {
    const target = chain[chain.length - 1];
    if (links[link][3] !== null) return x[target] + links[link][3];
    (arriving.get(target) || arriving.set(target, []).get(target)).push(link);
    return 0;
  });
  for (const [target, lines] of arriving) {
    lines.sort((p, q) => x[chains[p][chains[p].length - 2]] - x[chains[q][chains[q].length - 2]] || links[p][4] - links[q][4]);
    const step = Math.min(PORT_GAP, (2 * blocks[target].half - PORT_GAP) / Math.max(1, lines.length - 1));
    lines.forEach((link, i) => (ends[link] = x[target] + (i - (lines.length - 1) / 2) * step));
  }
  return ends;
}

function curved(route, [ax, ay], b) {
  const bend = (ay + b[1]) / 2;
  route.push([ax, bend], [b[0], bend], b);
  return b;
}

function straightDown(route, a, y) {
  if (y <= a[1]) return a;
  route.push(a, [a[0], y], [a[0], y]);
  return [a[0], y];
}

// Boxes within frames: each frame is laid out by itself, and is one large box of the frame around it.
// request: blocks, lines [[from, to]], parents (of frames; 0 is the whole), frameOf (of boxes), titles (widths).
function nested({ blocks, lines, parents, frameOf, titles }) {
  const chainOf = parents.map((_, f) => { const c = [f]; while (f) c.push((f = parents[f])); return c; });
  const inside = parents.map(() => ({ keys: new Map(), pieces: [], seen: new Set() }));
  const add = (f, key) => { if (!inside[f].keys.has(key)) inside[f].keys.set(key, inside[f].keys.size); return key; };
  const join = (f, source, target, origin, line) => {
    const mark = source + ">" + target + ">" + origin;
    if (target[0] !== "b" && inside[f].seen.has(mark)) return;
    inside[f].seen.add(mark);
    inside[f].pieces.push({ source: add(f, source), target: add(f, target), origin, line });
  };
  blocks.forEach((_, i) => {
    let f = frameOf[i];
    add(f, "b" + i);
    while (f) { add(parents[f], "f" + f); f = parents[f]; }
  });
  lines.forEach(([a, b], line) => {
    const out = chainOf[frameOf[a]], into = chainOf[frameOf[b]], common = out.find((f) => into.includes(f));
    let key = "b" + a;
    for (const f of out.slice(0, out.indexOf(common))) { join(f, key, "o" + a, a, line); key = "f" + f; }
    for (let d = into.indexOf(common); d >= 0; d--) { join(into[d], key, d ? "f" + into[d - 1] : "b" + b, a, line); key = "i" + a; }
  });
  const layouts = [], spots = [], margins = [], rooms = parents.map(() => null);
  const offset = (f, key) => spots[f].get(key)[0] - layouts[f].width / 2;
  // The room above and below what a frame holds: less where a row of ports leaves some already.
  const margin = (f, shapes) => {
    let first = Infinity, last = -Infinity;
    layouts[f].centres.forEach(([, y], i) => {
      if (shapes[i].pin) return;
      first = Math.min(first, y - shapes[i].height / 2);
      last = Math.max(last, y + shapes[i].height / 2);
    });
    return [Math.max(8, HEAD - first), Math.max(2, PAD - (layouts[f].height - last))];
  };
  for (let f = parents.length - 1; f >= 0; f--) {
    const keys = topological(inside[f]), rank = new Map(keys.map((k, i) => [k, i]));
    const shapes = keys.map((k) => k[0] === "b" ? blocks[+k.slice(1)] : k[0] === "f" ? rooms[+k.slice(1)]
      : { left: PORT, right: PORT, height: 0, half: 0, pin: k[0] === "i" ? -1 : 1 });
    const links = inside[f].pieces.map((p) => [rank.get(p.source), rank.get(p.target),
      p.source[0] === "f" ? offset(+p.source.slice(1), "o" + p.origin) : null,
      p.target[0] === "f" ? offset(+p.target.slice(1), "i" + p.origin) : null, p.line]);
    layouts[f] = layered(shapes, links);
    spots[f] = new Map(keys.map((k, i) => [k, layouts[f].centres[i]]));
    margins[f] = margin(f, shapes);
    const half = Math.max(layouts[f].width + 2 * PAD, titles[f]) / 2;
    rooms[f] = { left: half, right: half, half, height: layouts[f].height + margins[f][0] + margins[f][1] };
  }
  const bounds = [{ x: 0, y: 0, width: layouts[0].width, height: layouts[0].height }], corners = [[0, 0]];
  const centres = [], routes = [];
  for (let f = 0; f < parents.length; f++) {
    const [x, y] = corners[f];
    for (const [k, [cx, cy]] of spots[f]) {
      const i = +k.slice(1);
      if (k[0] === "b") centres[i] = [x + cx, y + cy];
      if (k[0] !== "f") continue;
      bounds[i] = { x: x + cx - rooms[i].half, y: y + cy - rooms[i].height / 2, width: 2 * rooms[i].half, height: rooms[i].height };
      corners[i] = [x + cx - layouts[i].width / 2, bounds[i].y + margins[i][0]];
    }
    inside[f].pieces.forEach((piece, p) => {
      const points = layouts[f].routes[p].map(([px, py]) => [x + px, y + py]);
      const first = points[0], last = points[points.length - 1], low = bounds[f].y + bounds[f].height;
      if (piece.source[0] === "i") points.unshift([first[0], bounds[f].y], [first[0], bounds[f].y], first);
      if (piece.target[0] === "o") points.push(last, [last[0], low], [last[0], low]);
      routes.push({ origin: piece.origin, line: piece.line, points, tip: piece.target[0] === "b", start: piece.source[0] === "b" });
    });
  }
  return { centres, bounds, routes };
}

// What a frame holds, each after what has a line to it, and otherwise as it came.
function topological({ keys, pieces }) {
  const names = [...keys.keys()], waiting = names.map(() => 0), after = names.map(() => []);
  for (const p of pieces) {
    const a = keys.get(p.source), b = keys.get(p.target);
    after[a].push(b);
    waiting[b]++;
  }
  const ready = names.map((_, i) => i).filter((i) => !waiting[i]), found = [];
  while (ready.length) {
    let least = 0;
    ready.forEach((v, i) => { if (v < ready[least]) least = i; });
    const i = ready.splice(least, 1)[0];
    found.push(names[i]);
    for (const b of after[i]) if (!--waiting[b]) ready.push(b);
  }
  return found;
}
