// Comfort only: everything works without this file. The server draws each part of the page; what a
// change alters is fetched from it, so that this file knows nothing of options and columns.
const form = document.querySelector("form.picker");
const named = (name) => [...form.querySelectorAll(`input[name=${name}]`)];

// Live: a field with data-live-on replaces the parts marked data-live-part. `data-live` of the form is
// the step that only shows; a form without it (the option of a standing activity) posts nothing by itself.
let latest = 0, waiting;
const refresh = async () => {
  const mine = ++latest;
  const fields = new URLSearchParams(new FormData(form));
  fields.set("step", form.dataset.live);
  const answer = await fetch(form.action, { method: "POST", body: fields }).catch(() => null);
  if (mine !== latest || !answer?.ok) return;  // a newer change is on its way; or the button will tell
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  for (const part of form.querySelectorAll("[data-live-part]")) {
    const fresh = page.getElementById(part.id);
    if (mine === latest && fresh) part.replaceChildren(...fresh.childNodes);
  }
};
for (const event of ["input", "change"]) {
  form.addEventListener(event, ({ target }) => {
    if (!form.dataset.live || target.dataset.liveOn !== event) return;
    clearTimeout(waiting);
    waiting = setTimeout(refresh, event === "input" ? 250 : 0);
  });
}

// One tick for all items, one for each module, both following the single ones.
const all = form.querySelector("[data-all]"), items = named("item");
const settle = () => {
  for (const group of form.querySelectorAll("[data-group]")) {
    const box = group.querySelector("[data-module]");
    const ticks = [...group.querySelectorAll("input[name=item]")].map((item) => item.checked);
    if (box) {
      box.checked = ticks.every(Boolean);
      box.indeterminate = !box.checked && ticks.some(Boolean);
    }
  }
  all.checked = items.every((item) => item.checked);
  all.indeterminate = !all.checked && items.some((item) => item.checked);
};
if (all) {
  if (all.checked) for (const item of items) item.checked = true;
  settle();
  form.addEventListener("change", ({ target }) => {
    const within = target === all ? form : target.hasAttribute("data-module") && target.closest("[data-group]");
    if (within) for (const item of within.querySelectorAll("input[name=item]")) item.checked = target.checked;
    if (within || target.name === "item") settle();
  }, true);
}

// Option B usually has the course grade, too; option A usually does not.
const [final] = named("include_final");
form.addEventListener("change", ({ target }) => {
  if (target.name === "strategy" && final) final.checked = target.value === "granular_auto_columns";
}, true);
