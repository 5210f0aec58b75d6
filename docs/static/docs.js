// Frames are pages of their own, and know what the system prefers: they are told what the reader chose here.
(() => {
  const tell = () => {
    const chosen = document.body.dataset.theme;
    for (const frame of document.querySelectorAll("iframe[srcdoc]")) {
      const root = frame.contentDocument?.documentElement;
      if (!root) continue;
      if (chosen === "dark" || chosen === "light") root.dataset.theme = chosen;
      else delete root.dataset.theme;
    }
  };
  addEventListener("load", tell);
  document.addEventListener("DOMContentLoaded", () => {
    new MutationObserver(tell).observe(document.body, { attributes: true, attributeFilter: ["data-theme"] });
  });
})();
