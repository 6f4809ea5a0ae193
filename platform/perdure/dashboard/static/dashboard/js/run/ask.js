/** Actions ask in a dialog: the server says what would happen, on the page that the link leads to without scripts. */

const dialog = document.getElementById("ask-dialog");

document.addEventListener("click", (event) => {
  const link = event.target.closest("a[data-ask]");
  if (!link || !dialog || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  const menu = link.closest("details.menu");
  if (menu) menu.open = false;
  ask(link.href);
});

/** @param {string} address of the action's page */
async function ask(address) {
  try {
    const url = new URL(address);
    url.searchParams.set("part", "1");
    const answer = await fetch(url, { headers: { Accept: "text/html" } });
    if (!answer.ok || answer.redirected) throw new Error(answer.statusText);
    const form = new DOMParser().parseFromString(await answer.text(), "text/html").querySelector("form");
    dialog.replaceChildren(form);
    dialog.showModal();
  } catch {
    location.assign(address);
  }
}
