// Comfort only: a choice takes its next step by itself. Everything works without this file.
const form = document.querySelector("form.picker");
for (const field of document.querySelectorAll("[data-submits]")) {
  field.addEventListener("change", () => {
    form.requestSubmit(form.querySelector(`button[name=step][value=${field.dataset.submits}]`));
  });
}
// Option B usually has the course grade, too; option A usually does not.
const final = form.elements.include_final;
for (const option of form.querySelectorAll("input[name=strategy]")) {
  option.addEventListener("change", () => {
    if (final) final.checked = option.value === "granular_auto_columns";
  });
}
