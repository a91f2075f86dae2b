// Follows both jobs of a trial and shows its page anew when something happened to either.
(() => {
  const page = document.querySelector("[data-state]");
  if (!page) return;
  const view = page.querySelector("[data-view]");
  const said = page.querySelector("[data-said]");
  let timer, latest = 0;

  function show(html) {
    const fresh = document.createElement("div");
    fresh.innerHTML = html;
    for (const open of view.querySelectorAll("details[open]")) {
      const same = fresh.querySelector(`#${open.id}`);
      if (same) same.open = true;
    }
    for (const image of fresh.querySelectorAll("img[data-key]")) {
      const same = view.querySelector(`img[data-key="${image.dataset.key}"]`);
      if (same) image.replaceWith(same); // as it was: no flicker
    }
    const focused = document.activeElement.closest("details")?.id;
    view.replaceChildren(...fresh.childNodes);
    if (focused) view.querySelector(`#${focused} summary`)?.focus();
  }

  async function refresh() {
    const number = ++latest;
    const answer = await fetch(page.dataset.state);
    if (answer.ok && number === latest) show(await answer.text());
  }

  function soon() {
    clearTimeout(timer);
    timer = setTimeout(refresh, 150);
  }

  function follow(arm) {
    const address = arm.dataset.events, title = arm.dataset.arm;
    const source = new EventSource(address);
    source.addEventListener("status", soon);
    source.addEventListener("decision", (event) => {
      said.textContent = `${title}: ${JSON.parse(event.data).explanation}`;
      soon();
    });
    source.addEventListener("progress", (event) => {
      const { step, steps } = JSON.parse(event.data);
      const bar = view.querySelector(`[data-events="${address}"] [data-progress]`);
      if (bar) Object.assign(bar, { hidden: step >= steps, value: step / steps });
    });
    source.addEventListener("end", () => {
      source.close();
      soon();
    });
  }

  for (const arm of view.querySelectorAll("[data-events]:not([data-over])")) follow(arm);
})();
