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
    button.addEventListener("keydown", (event) => {
      if (event.key === "Enter" || event.key === " ") reveal(look);
    });
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
    if (wanted.hidden) return false;
    if (wanted.tagName === "SUMMARY") {
      wanted.parentElement.open = true;
      wanted.parentElement.querySelector("textarea").focus();
    } else if (wanted.tagName === "FORM") wanted.requestSubmit();
    else wanted.click();
    if (why && !why.value) { why.classList.add("desk-missing"); }
    return true;
  }

  // A region is drawn on the current picture; it is sent as shares of its width and height.
  const current = document.getElementById("desk-current");
  const draw = document.getElementById("desk-draw");
  if (current && draw) {
    const svg = current.querySelector("svg");
    const box = svg.viewBox.baseVal;
    const shape = document.createElementNS("http://www.w3.org/2000/svg", "rect");
    shape.classList.add("desk-region");
    let from = null;
    const place = (event) => {
      const at = new DOMPoint(event.clientX, event.clientY).matrixTransform(svg.getScreenCTM().inverse());
      return { x: Math.min(Math.max(at.x, 0), box.width), y: Math.min(Math.max(at.y, 0), box.height) };
    };
    const show = (to) => {
      const left = Math.min(from.x, to.x), top = Math.min(from.y, to.y);
      const width = Math.abs(from.x - to.x), height = Math.abs(from.y - to.y);
      for (const [name, value] of Object.entries({ x: left, y: top, width, height })) {
        shape.setAttribute(name, value);
      }
      document.getElementById("desk-region").value = [left / box.width, top / box.height,
        (left + width) / box.width, (top + height) / box.height].map((n) => n.toFixed(5)).join(",");
    };
    const drawing = (on) => {
      current.classList.toggle("desk-drawing", on);
      draw.setAttribute("aria-pressed", String(on));
    };
    draw.addEventListener("click", () => drawing(!current.classList.contains("desk-drawing")));
    current.addEventListener("pointerdown", (event) => {
      if (!current.classList.contains("desk-drawing")) return;
      event.preventDefault();
      current.setPointerCapture(event.pointerId);
      from = place(event);
      svg.append(shape);
    });
    current.addEventListener("pointermove", (event) => { if (from) show(place(event)); });
    current.addEventListener("pointerup", (event) => {
      if (!from) return;
      show(place(event));
      from = null;
      drawing(false);
      document.getElementById("desk-blur").hidden = false;
    });
  }

  // What has the focus and is pressed by the space bar keeps it; so a page is used without a mouse.
  const pressable = (target) => target.closest("a, button, summary, [role=button]");
  const typing = (target) => target.matches("input, textarea, select, [contenteditable]");
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (typing(event.target)) {
      if (event.key === "Escape") event.target.blur();
      return;
    }
    if (event.key === " ") {
      if (pressable(event.target)) return;
      const look = document.querySelector("[data-raw][data-current]");
      if (look) { event.preventDefault(); reveal(look); }
      return;
    }
    if (/^[a-z0-9]$/.test(event.key) && press(event.key)) event.preventDefault();
  });
  document.addEventListener("keyup", (event) => { if (event.key === " ") hideAll(); });
})();
