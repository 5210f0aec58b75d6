// Places within the rows of a layered layout, after Brandes and Koepf: chains and long lines run straight.
// The same method as in placing.py: align with the median neighbour, pack the columns, four ways; take the middle.
"use strict";

function places(rows, above, below, isJoint, apart) {
  const crossed = crossedLinks(rows, above, isJoint);
  const results = [];
  for (const up of [false, true]) {
    const near = up ? below : above;
    const walk = up ? [...rows].reverse() : rows;
    for (const right of [false, true]) {
      const ordered = right ? walk.map((row) => [...row].reverse()) : walk;
      const distance = right ? (a, b) => apart(b, a) : apart;
      const x = packed(ordered, columns(ordered, near, crossed, above.length), distance);
      results.push(right ? x.map((v) => -v) : x);
    }
  }
  return middleOfFour(results);
}

// Short links that cross a piece of a long line give way to it.
function crossedLinks(rows, above, isJoint) {
  const marked = new Set();
  for (let r = 1; r < rows.length; r++) {
    const upper = rows[r - 1], row = rows[r];
    const position = new Map(upper.map((m, i) => [m, i]));
    let start = 0, low = 0;
    row.forEach((m, i) => {
      const partner = isJoint(m) ? above[m].find(isJoint) : undefined;
      if (partner === undefined && i < row.length - 1) return;
      const high = partner === undefined ? upper.length : position.get(partner);
      for (const other of row.slice(start, i + 1)) {
        for (const a of above[other]) {
          const p = position.get(a);
          if ((p < low || p > high) && !(isJoint(a) && isJoint(other))) marked.add(a + "," + other).add(other + "," + a);
        }
      }
      start = i + 1;
      low = high;
    });
  }
  return marked;
}

function columns(rows, near, crossed, count) {
  const column = Array.from({ length: count }, (_, i) => i);
  const taken = new Array(count).fill(false), position = new Array(count).fill(0);
  for (const row of rows) {
    row.forEach((m, i) => (position[m] = i));
    let reached = -1;
    for (const m of row) {
      const others = [...near[m]].sort((a, b) => position[a] - position[b]);
      const middle = others.length >> 1;
      const medians = others.length % 2 ? others.slice(middle, middle + 1) : others.slice(Math.max(0, middle - 1), middle + 1);
      for (const n of medians) {
        if (column[m] === m && !taken[n] && position[n] > reached && !crossed.has(n + "," + m)) {
          taken[n] = true;
          column[m] = column[n];
          reached = position[n];
        }
      }
    }
  }
  return column;
}

// Columns as far left as their neighbours allow, then as far right as they can without widening anything.
function packed(rows, column, apart) {
  const after = new Map(), before = new Map(), heads = new Set();
  for (const row of rows) {
    row.forEach((m, i) => {
      heads.add(column[m]);
      if (!i) return;
      const a = row[i - 1], gaps = after.get(column[a]) || after.set(column[a], new Map()).get(column[a]);
      if (!gaps.has(column[m])) before.set(column[m], (before.get(column[m]) || 0) + 1);
      gaps.set(column[m], Math.max(gaps.get(column[m]) || 0, apart(a, m)));
    });
  }
  const x = new Map([...heads].map((h) => [h, 0]));
  const ready = [...heads].filter((h) => !before.get(h)), order = [];
  while (ready.length) {
    const c = ready.pop();
    order.push(c);
    for (const [other, gap] of after.get(c) || []) {
      x.set(other, Math.max(x.get(other), x.get(c) + gap));
      before.set(other, before.get(other) - 1);
      if (!before.get(other)) ready.push(other);
    }
  }
  for (const c of order.reverse()) {
    if (!after.has(c)) continue;
    let most = Infinity;
    for (const [other, gap] of after.get(c)) most = Math.min(most, x.get(other) - gap);
    x.set(c, Math.max(x.get(c), most));
  }
  return column.map((c) => x.get(c) || 0);
}

function middleOfFour(results) {
  const spans = results.map((x) => x.reduce(([lo, hi], v) => [Math.min(lo, v), Math.max(hi, v)], [Infinity, -Infinity]));
  const [low, high] = spans.reduce((best, s) => (s[1] - s[0] < best[1] - best[0] ? s : best));
  const shifts = spans.map(([lo, hi], i) => (i % 2 ? high - hi : low - lo));
  return results[0].map((_, i) => {
    const four = results.map((x, k) => x[i] + shifts[k]).sort((a, b) => a - b);
    return (four[1] + four[2]) / 2;
  });
}
