/** The start page: its code is shown beside the form, which stays as it was typed. */

document.addEventListener("submit", (event) => {
  const button = event.submitter;
  if (!button?.matches("[data-code]")) return;
  event.preventDefault();
  void showCode(event.target, button);
});

/** What the server refuses is marked in the form: then the form is sent as it would be without scripts. */
async function showCode(form, button) {
  const part = document.querySelector("[data-code-part]");
  try {
    const answer = await fetch(form.action, { method: "POST", body: new FormData(form, button) });
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").querySelector("[data-code-part]");
    if (!answer.ok || !fresh?.firstElementChild) throw new Error("refused");
    part.replaceChildren(...fresh.childNodes);
    part.querySelector("#code").focus();
  } catch {
    delete button.dataset.code;
    delete form.dataset.sent;
    form.requestSubmit(button);
    return;
  }
  delete form.dataset.sent;
}

// Code that was shown is of what was typed then.
document.addEventListener("input", (event) => {
  if (event.target.form?.id === "start-form") document.querySelector("[data-code-part]")?.replaceChildren();
});
