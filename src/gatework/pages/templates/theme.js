"use strict";

// Light and dark: the reader's system decides until the button does. Plots ask `theme.colour()` and are told of changes.
const theme = (() => {
  const root = document.documentElement;
  const system = matchMedia("(prefers-color-scheme: dark)");
  const watchers = [];
  // A page opened from a file may have no storage; the choice then lasts as long as the page.
  const storage = (use) => { try { return use(localStorage); } catch { return null; } };

  const isDark = () => (root.dataset.theme ? root.dataset.theme === "dark" : system.matches);
  const colour = (name) => getComputedStyle(root).getPropertyValue(name).trim();

  function announce() {
    document.getElementById("theme-name").textContent = isDark() ? "Dark" : "Light";
    watchers.forEach((watcher) => watcher());
  }

  const kept = storage((s) => s.getItem("gatework-theme"));
  if (kept === "light" || kept === "dark") root.dataset.theme = kept;
  document.getElementById("theme").addEventListener("click", () => {
    root.dataset.theme = isDark() ? "light" : "dark";
    storage((s) => s.setItem("gatework-theme", root.dataset.theme));
    announce();
  });
  system.addEventListener("change", announce);
  // Paper is light, whatever is on the screen.
  let onScreen;
  addEventListener("beforeprint", () => {
    onScreen = root.dataset.theme;
    root.dataset.theme = "light";
    announce();
  });
  addEventListener("afterprint", () => {
    if (onScreen) root.dataset.theme = onScreen;
    else delete root.dataset.theme;
    announce();
  });
  announce();
  return { colour, isDark, watch: (watcher) => watchers.push(watcher) };
})();
