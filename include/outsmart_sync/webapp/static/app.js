// What the page does beyond plain HTML and htmx: guards unsaved changes, opens dialogs, leaves for a login page,
// and keeps Airflow's address bar in step.
(() => {
  const framed = window.parent !== window;

  // Airflow's address bar names the page that is shown, so that a reload, or a link sent to a colleague, shows it again.
  if (framed && document.body.dataset.here !== undefined) {
    try {
      const address = new URL(window.parent.location.href);
      const page = document.body.dataset.here + window.location.search;
      if (address.pathname.endsWith("/plugin/outsmart-sync")) {
        page ? address.searchParams.set("page", page) : address.searchParams.delete("page");
        window.parent.history.replaceState(window.parent.history.state, "", address);
      }
    } catch { /* another origin holds us */ }
  }

  // Unsaved changes: the browser asks before they are lost.
  const state = (form) => new URLSearchParams(new FormData(form)).toString();
  for (const form of document.querySelectorAll("form[data-guard]")) {
    const note = form.querySelector("[data-unsaved]");
    let before = form.dataset.guard === "dirty" ? null : state(form);
    let leaving = false;
    const dirty = () => before === null || state(form) !== before;
    const show = () => note && note.toggleAttribute("hidden", !dirty());
    form.addEventListener("input", show);
    form.addEventListener("change", show);
    form.addEventListener("submit", () => { leaving = true; });
    // A list that is fetched brings fields that nobody changed.
    form.addEventListener("htmx:beforeSwap", () => { if (!dirty()) form.dataset.clean = "yes"; });
    form.addEventListener("htmx:afterSettle", () => {
      if (form.dataset.clean) { before = state(form); delete form.dataset.clean; }
      show();
    });
    window.addEventListener("beforeunload", (event) => { if (!leaving && dirty()) event.preventDefault(); });
    show();
  }

  // A form that asks first, in a dialog of its own.
  document.addEventListener("click", (event) => {
    const opener = event.target.closest("[data-dialog]");
    if (opener) document.getElementById(opener.dataset.dialog)?.showModal();
    const closer = event.target.closest("[data-close]");
    if (closer) closer.closest("dialog")?.close();
    const all = event.target.closest("[data-tick-all]");
    if (all) for (const box of document.querySelectorAll(`input[name="${all.dataset.tickAll}"]`)) box.checked = all.checked;
  });
  document.addEventListener("htmx:afterRequest", (event) => event.target.closest?.("dialog")?.close());

  // Off to the vendor's login page: the whole window, as it does not let itself be framed.
  const leaving = document.querySelector("a[data-leave]");
  if (leaving) window.top.location.href = leaving.href;

  // The language is chosen by the list itself.
  document.querySelector("[data-language]")?.addEventListener("change", (event) => event.target.form.requestSubmit());

  // An answer that is an error is shown where the answer would have been.
  document.addEventListener("htmx:beforeSwap", (event) => {
    if (event.detail.xhr.status >= 400 && event.detail.xhr.responseText) {
      event.detail.shouldSwap = true;
      event.detail.isError = false;
    }
  });
})();
