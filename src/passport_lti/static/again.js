// Look again while a check runs; without this file a link does the same.
const running = document.querySelector("[data-again]");
if (running) setTimeout(() => location.replace(running.href), 2000);
