// Questions that tests/test_page_looks.py asks of a web page of the documentation.
/* eslint-disable no-unused-vars */

const shown = (e) => { const r = e.getBoundingClientRect(); return r.width > 0 && r.height > 0; };
const named = (e) => `${e.tagName.toLowerCase()}.${e.className} "${e.textContent.trim().slice(0, 40)}"`;

// What is wider than the window, or than the column of text, and does not scroll in a box of its own.
const sticksOut = () => {
  const column = document.querySelector("article").getBoundingClientRect();
  const scrolls = (e) => { for (let p = e.parentElement; p.tagName !== "ARTICLE"; p = p.parentElement) {
    if (getComputedStyle(p).overflowX !== "visible") return true;
  } return false; };
  const wide = [...document.querySelectorAll("article *")].filter((e) => {
    const r = e.getBoundingClientRect();
    return shown(e) && !e.closest("svg, math") && (r.right > column.right + 10 || r.left < column.left - 10) && !scrolls(e);
  });
  const page = document.scrollingElement;
  return [...(page.scrollWidth > page.clientWidth ? ["the page"] : []), ...wide.slice(0, 5).map(named)];
};

const numbers = (colour) => { const [r, g, b, a = 1] = colour.match(/[\d.]+/g).map(Number); return [r, g, b, a]; };
const over = (top, below) => [0, 1, 2].map((i) => top[i] * top[3] + below[i] * (1 - top[3])).concat(1);
// What is behind an element, and how opaque it is with all that it stands in.
const kept = new Map();
const behind = (e) => {
  if (!e) return { paper: [255, 255, 255, 1], opacity: 1 };
  if (!kept.has(e)) {
    const outer = behind(e.parentElement), style = getComputedStyle(e), own = numbers(style.backgroundColor);
    kept.set(e, { paper: over(own, outer.paper), opacity: outer.opacity * style.opacity });
  }
  return kept.get(e);
};
const lightness = (c) => { const [r, g, b] = c.map((v) => v / 255).map((v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)); return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
const contrast = (a, b) => { const [x, y] = [lightness(a), lightness(b)].sort((p, q) => q - p); return (x + 0.05) / (y + 0.05); };

// Words that stand out from what is behind them by less than 4.5 to 1; large ones, 3 to 1.
const faint = () => {
  const found = new Set(), walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const e = walker.currentNode.parentElement, style = getComputedStyle(e);
    if (!walker.currentNode.data.trim() || !shown(e) || e.closest("script, style, svg, .headerlink") || style.visibility === "hidden") continue;
    const [r, g, b, a] = numbers(style.color), { paper: below, opacity } = behind(e), size = parseFloat(style.fontSize);
    const large = size >= 24 || (size >= 18.6 && style.fontWeight >= 700);
    if (opacity && contrast(over([r, g, b, a * opacity], below), below) < (large ? 3 : 4.5)) found.add(named(e));
  }
  return [...found].slice(0, 5);
};

const pictures = () => [...document.images].filter((i) => (i.complete && !i.naturalWidth) || !i.alt || /\.(png|svg)$/.test(i.alt)).map((i) => i.outerHTML);
