// What the page does beyond plain HTML and htmx: guards unsaved changes, shows that a form is on its way, opens dialogs,
// leaves for a login page, and keeps Airflow's address bar in step.
(() => {
  const framed = window.parent !== window;
  const ASKED_AGAIN_AFTER = 5000;  // milliseconds: Airflow shows us until the next page has been loaded

  // Airflow's address bar names the page that is shown, so that a reload, or a link sent to a colleague, shows it again.
  if (framed && document.body.dataset.here !== undefined) {
    try {
      const address = new URL(window.parent.location.href);
      const page = document.body.dataset.here;
      if (address.pathname.endsWith("/plugin/outsmart-sync")) {
        page ? address.searchParams.set("page", page) : address.searchParams.delete("page");
        window.parent.history.replaceState(window.parent.history.state, "", address);
      }
    } catch { /* another origin holds us */ }
  }

  // Unsaved changes: the browser asks before they are lost.
  const guards = [];
  const state = (form) => new URLSearchParams(new FormData(form)).toString();
  const asItCame = (form) => {  // somebody may have typed before this script was there
    const copy = form.cloneNode(true);
    copy.reset();
    return state(copy);
  };
  for (const form of document.querySelectorAll("form[data-guard]")) {
    const note = form.querySelector("[data-unsaved]");
    let before = form.dataset.guard === "dirty" ? null : asItCame(form);
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
    guards.push({ lost: () => !leaving && dirty(), letGo: (go) => { leaving = go; } });
    show();
  }

  // Airflow's own navigation takes our frame away without a word, so its links, and Back, ask here.
  if (framed && guards.length) {
    const ask = (event) => {
      if (!guards.some((guard) => guard.lost())) return;
      if (window.confirm(document.body.dataset.leaving)) {
        for (const guard of guards) guard.letGo(true);
        setTimeout(() => { for (const guard of guards) guard.letGo(false); }, ASKED_AGAIN_AFTER);
        return;
      }
      event.preventDefault();
      event.stopImmediatePropagation();
    };
    const clicked = (event) => {
      const link = event.target.closest?.("a[href]");
      const stays = !link || (link.target && link.target !== "_self") || event.ctrlKey || event.metaKey || event.shiftKey;
      if (!stays) ask(event);
    };
    // The browser's Back and Forward, where it tells of them before they happen (Navigation API).
    const wentBack = (event) => { if (event.navigationType === "traverse" && event.cancelable) ask(event); };
    try {
      const airflow = window.parent;
      const listen = (how) => {
        airflow.document[how]("click", clicked, true);
        airflow.navigation?.[how]("navigate", wentBack);
      };
      listen("addEventListener");
      window.addEventListener("pagehide", () => listen("removeEventListener"));
      window.addEventListener("pageshow", (event) => { if (event.persisted) listen("addEventListener"); });
    } catch { /* another origin holds us */ }
  }

  // A form that was sent is on its way until the next page comes; a button pressed twice would send it twice.
  const busy = new Set();
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (event.defaultPrevented || form.method !== "post" || form.hasAttribute("hx-post")) return;
    setTimeout(() => {  // after the browser has read the form, which holds the button that was pressed
      form.setAttribute("aria-busy", "true");
      event.submitter?.setAttribute("aria-busy", "true");
      for (const button of form.querySelectorAll("button:not([type=button]):not([disabled])")) {
        button.disabled = true;
        busy.add(button);
      }
    });
  });
  window.addEventListener("pageshow", () => {
    for (const button of busy) button.disabled = false;
    busy.clear();
    for (const each of document.querySelectorAll("[aria-busy]")) each.removeAttribute("aria-busy");
  });

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
