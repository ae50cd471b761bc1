// Before the first paint: the colours chosen last time.
try {
  const chosen = localStorage.getItem("chat.theme");
  if (chosen === "light" || chosen === "dark") document.documentElement.dataset.theme = chosen;
} catch {
  // no storage, no choice to remember
}
