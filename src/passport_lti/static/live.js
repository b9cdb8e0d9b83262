// Follows a sync while it runs. Without this file the page waits for the end, or says how to look again.
const form = document.querySelector("form[data-follow]");
const live = document.getElementById("live");
const bar = live.querySelector("progress");
const line = live.querySelector("p");

async function begin() {
  const fields = new URLSearchParams(new FormData(form));
  fields.set("live", "1");
  const answer = await fetch(form.action, { method: "POST", body: fields });
  if (!answer.ok) throw new Error(answer.status);
  return (await answer.json()).since;
}

async function follow(since) {
  live.hidden = false;
  form.querySelector("button").disabled = true;
  let failures = 0;
  for (let look = 0; look < 900; look += 1) {
    await new Promise((resolve) => { setTimeout(resolve, look < 5 ? 400 : 1500); });
    try {
      const query = new URLSearchParams({ session: form.elements.session.value, since });
      const answer = await fetch(`${form.dataset.follow}?${query}`);
      if (!answer.ok) throw new Error(answer.status);
      const now = await answer.json();
      failures = 0;
      line.textContent = now.text;
      if (now.sent + now.due) { bar.max = now.sent + now.due; bar.value = now.sent; }
      if (!now.running) { location.replace(form.dataset.after); return; }
    } catch {
      failures += 1;
      if (failures > 3) break;
    }
  }
  line.textContent = live.dataset.lost;
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  for (const note of document.querySelectorAll("[data-note]")) note.remove();
  begin().then(follow, () => { form.submit(); });
});
if (live.dataset.since) follow(live.dataset.since);
