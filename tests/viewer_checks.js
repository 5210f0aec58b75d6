// Questions that tests/test_viewer.py asks of the page of a graph.
/* eslint-disable no-unused-vars */

const overlaps = () => {
  const faults = [], rect = (e) => e.getBoundingClientRect();
  const bodies = [...document.querySelectorAll("#view .box > .body:last-of-type, #view .tag > .body")];
  const areas = bodies.map(rect);
  areas.forEach((a, i) => areas.slice(0, i).forEach((b, j) => {
    const same = bodies[i].closest(".box") === bodies[j].closest(".box") && bodies[i].parentNode === bodies[j].parentNode;
    if (!same && a.left < b.right - 1 && b.left < a.right - 1 && a.top < b.bottom - 1 && b.top < a.bottom - 1)
      faults.push("overlap: " + bodies[i].parentNode.textContent + " / " + bodies[j].parentNode.textContent);
  }));
  for (const title of document.querySelectorAll("#view .frame-title")) {
    const t = rect(title);
    areas.forEach((a, i) => {
      if (t.left < a.right && a.left < t.right && t.top < a.bottom - 1 && a.top < t.bottom - 1)
        faults.push("on the title " + title.textContent + ": " + bodies[i].parentNode.textContent);
    });
  }
  for (const text of document.querySelectorAll("#view .box > text, #view .tag > text")) {
    const t = rect(text), own = rect([...text.parentNode.querySelectorAll(":scope > .body")].pop());
    if (t.left < own.left - 1 || t.right > own.right + 1) faults.push("sticks out: " + text.textContent);
  }
  if (document.documentElement.scrollWidth > innerWidth) faults.push("the page is wider than the window");
  for (const button of document.querySelectorAll("header button, footer button, select, #search, #position")) {
    const b = rect(button);
    if (b.width && (b.left < 0 || b.right > innerWidth + 1 || b.bottom > innerHeight + 1)) faults.push("cut off: " + (button.id || button.textContent));
    if (button.tagName !== "INPUT" && button.scrollWidth > button.clientWidth + 1 && button.clientWidth) faults.push("clipped: " + button.id);
  }
  return faults;
};

const lowContrast = () => {
  const style = getComputedStyle(document.documentElement), read = (name) => style.getPropertyValue(name).trim();
  const light = (hex) => { const c = [1, 3, 5].map((i) => parseInt(hex.slice(i, i + 2), 16) / 255)
    .map((v) => (v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)); return 0.2126 * c[0] + 0.7152 * c[1] + 0.0722 * c[2]; };
  const pairs = [["--ink", "--paper"], ["--ink", "--raised"], ["--quiet", "--paper"], ["--quiet", "--raised"], ["--quiet", "--group"],
    ["--ink", "--op"], ["--accent", "--raised"], ["--back", "--raised"], ["--back", "--variable"], ["--parameter-ink", "--parameter"], ["--variable-ink", "--variable"],
    ["--data-ink", "--data"], ["--output-ink", "--output"], ["--warn", "--warn-soft"], ["--quiet", "--back-soft"], ["--quiet", "--accent-soft"],
    ["--quiet", "--parameter"], ["--quiet", "--data"]];
  return pairs.filter(([a, b]) => { const [x, y] = [light(read(a)), light(read(b))].sort((p, q) => q - p); return (x + 0.05) / (y + 0.05) < 4.5; });
};

const nameless = () => [...document.querySelectorAll("button, input, select, [role=button], aside, main svg#canvas")]
  .filter((e) => !(e.getAttribute("aria-label") || e.textContent.trim() || e.labels?.length)).map((e) => e.outerHTML);
