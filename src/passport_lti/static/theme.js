// Runs before the page is drawn: what is for browsers without scripts is hidden, and the person's light
// or dark setting followed.
document.documentElement.classList.add("scripts");
const dark = matchMedia("(prefers-color-scheme: dark)");
const follow = () => { document.documentElement.dataset.bsTheme = dark.matches ? "dark" : "light"; };
follow();
dark.addEventListener("change", follow);
