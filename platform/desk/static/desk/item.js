// The item page: keys, reasons, and originals that are shown only while something is held down.
(() => {
  "use strict";
  const why = document.getElementById("desk-why");
  const token = () => document.querySelector("[name=csrfmiddlewaretoken]").value;

  // An original is fetched by a recorded POST at the first hold, and hidden when it ends.
  async function reveal(look) {
    if (look.dataset.held) return;
    look.dataset.held = "yes";
    const picture = look.querySelector("img");
    look.dataset.preview ??= picture.src;
    if (!look.dataset.original) {
      const body = new FormData();
      body.append("version", look.dataset.version);
      const answer = await fetch(look.dataset.raw, {
        method: "POST", body, headers: { "X-CSRFToken": token() },
      });
      if (!answer.ok) { hide(look); return; }
      look.dataset.original = URL.createObjectURL(await answer.blob());
    }
    if (!look.dataset.held) return;
    picture.src = look.dataset.original;
    look.classList.add("desk-shown");
  }

  function hide(look) {
    delete look.dataset.held;
    look.classList.remove("desk-shown");
    if (look.dataset.preview) look.querySelector("img").src = look.dataset.preview;
  }

  const looks = () => document.querySelectorAll("[data-raw]");
  const hideAll = () => looks().forEach(hide);
  for (const button of document.querySelectorAll("[data-reveal]")) {
    const look = document.querySelector(`[data-version="${button.dataset.reveal}"]`);
    button.addEventListener("pointerdown", () => reveal(look));
    for (const end of ["pointerup", "pointerleave", "pointercancel", "blur"]) {
      button.addEventListener(end, () => hide(look));
    }
    button.addEventListener("keydown", (event) => { if (event.key === "Enter") reveal(look); });
    button.addEventListener("keyup", () => hide(look));
  }
  window.addEventListener("blur", hideAll);
  document.addEventListener("visibilitychange", hideAll);

  for (const chip of document.querySelectorAll("[data-reason]")) {
    chip.addEventListener("click", () => { why.value = chip.dataset.reason; });
  }

  function press(key) {
    const chips = document.querySelectorAll("[data-reason]");
    if (/^[1-9]$/.test(key) && chips[key - 1]) { chips[key - 1].click(); return true; }
    if (key === "w" && why) { why.focus(); return true; }
    const wanted = document.querySelector(`[data-key="${key}"]`);
    if (!wanted) return false;
    if (wanted.tagName === "FORM") wanted.requestSubmit();
    else wanted.click();
    if (why && !why.value) { why.classList.add("desk-missing"); }
    return true;
  }

  const typing = (target) => target.matches("input, textarea, select, [contenteditable]");
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (typing(event.target)) {
      if (event.key === "Escape") event.target.blur();
      return;
    }
    if (event.key === " ") {
      const look = document.querySelector("[data-raw][data-current]");
      if (look) { event.preventDefault(); reveal(look); }
      return;
    }
    if (/^[a-z0-9]$/.test(event.key) && press(event.key)) event.preventDefault();
  });
  document.addEventListener("keyup", (event) => { if (event.key === " ") hideAll(); });
})();
