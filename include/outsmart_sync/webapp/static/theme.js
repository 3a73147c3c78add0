// Follows Airflow's light or dark mode before anything is shown: its own document says it by a class.
(() => {
  const root = document.documentElement;
  const apply = () => {
    let dark = matchMedia("(prefers-color-scheme: dark)").matches;
    try {
      const outer = window.parent.document.documentElement.classList;
      if (window.parent !== window && (outer.contains("dark") || outer.contains("light"))) dark = outer.contains("dark");
      else if (localStorage.getItem("theme")) dark = localStorage.getItem("theme") === "dark";
    } catch { /* another origin holds us: the browser's preference counts */ }
    root.classList.toggle("dark", dark);
  };
  apply();
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", apply);
  try {
    if (window.parent !== window)
      new MutationObserver(apply).observe(window.parent.document.documentElement, { attributeFilter: ["class"] });
  } catch { /* as above */ }
})();
