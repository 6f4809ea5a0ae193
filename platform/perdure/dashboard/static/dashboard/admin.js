/* What the theme leaves out for the keyboard and for whoever listens. Its scripts build most of these elements, or its
   templates are long and change with each version: a few attributes are set here in their place. */
{
  const NAMES = {
    "nav-sidebar-apps": "Pages of the admin", "nav-sidebar-inner": "Admin", "tabs-items": "Sections",
    "tabs-dropdown": "More sections", "changelist-filter": "Filters",
  };
  /* Buttons that show an icon only; the icon's name is its text, which would be read out. */
  const ICONS = {
    more_horiz: "More", more_vert: "More", dock_to_right: "Side bar", menu: "Side bar", arrow_back: "Back", add: "Add",
    close: "Close", delete: "Remove", edit: "Change", visibility: "Look", add_2: "Add", search: "Search",
    expand_more: "Open", unfold_more: "Open", arrow_circle_up: "Turn the order round",
    arrow_circle_down: "Turn the order round", cancel: "Order otherwise", calendar_today: "Choose a date", schedule: "Choose a time",
  };
  const CLICKED = "a:not([href]), :is(div, span, td, h2)[x-on\\:click]";

  const heading = (one) => document.getElementById(one.closest("fieldset")?.getAttribute("aria-labelledby") || "");

  function nameAll(found, attribute, nameOf) {
    const used = new Set();
    for (const one of found) {
      let name = nameOf(one);
      for (let number = 2; used.has(name); number++) name = `${nameOf(one)} ${number}`;
      used.add(name);
      one.setAttribute(attribute, name);
    }
  }

  /* Each list that scrolls becomes a landmark: each needs a name of its own. */
  function nameLandmarks() {
    const byPlace = (one) => NAMES[one.id] || NAMES[one.closest("[id]")?.id];
    const scrolls = document.querySelectorAll("[data-simplebar]");
    nameAll(scrolls, "data-simplebar-aria-label", (one) =>
      byPlace(one) || (one.querySelector("#result_list") ? "Rows" : heading(one)?.textContent.trim()) || "List");
    for (const one of document.querySelectorAll("#changelist-filter h3")) one.setAttribute("aria-level", "2");
    nameAll(document.querySelectorAll("nav:not([aria-label])"), "aria-label", (one) => NAMES[one.id] || "Parts");
  }

  function hideIcons() {
    for (const icon of document.querySelectorAll(".material-symbols-outlined:not([aria-hidden])")) {
      const word = icon.textContent.trim();
      const button = icon.closest("a, button, [role=button]");
      if (button !== icon) icon.setAttribute("aria-hidden", "true");
      if (!button || button.getAttribute("aria-label") || button.title) continue;
      if (button.textContent.trim() === word) button.setAttribute("aria-label", ICONS[word] || word);
    }
  }

  /* What is clicked and is no link and no button: Tab stops there, and Enter and the space bar click. */
  function reachByKey() {
    for (const one of document.querySelectorAll(CLICKED)) {
      if (one.hasAttribute("tabindex") || one.querySelector("input, button, a[href]") || one.id.endsWith("-close")) continue;
      one.tabIndex = 0;
      one.setAttribute("role", "button");
    }
  }

  function clickByKey(event) {
    const one = event.target;
    if (!["Enter", " "].includes(event.key) || one.getAttribute?.("role") !== "button" || one.tagName === "BUTTON") return;
    event.preventDefault();
    one.click();
  }

  /* The boxes that select2 puts in place of a list are not told which label is theirs. */
  function nameChoices() {
    for (const box of document.querySelectorAll(".select2-selection")) {
      const list = box.closest(".select2-container")?.previousElementSibling;
      const name = list?.labels?.[0]?.innerText.trim() || list?.getAttribute("aria-label") || "Choice";
      for (const one of [box, ...box.querySelectorAll("[role=textbox], [role=searchbox]")]) {
        if (!(one.getAttribute("aria-label") || "").trim()) one.setAttribute("aria-label", name);
      }
    }
    // A name on a plain span is not read out; as a picture it is.
    for (const tip of document.querySelectorAll("span.help-tooltip[aria-label]:not([role])")) tip.setAttribute("role", "img");
  }

  function complete() {
    reachByKey();
    hideIcons();
    nameChoices();
  }

  document.addEventListener("DOMContentLoaded", () => {
    nameLandmarks();
    complete();
    let asked = 0;
    new MutationObserver(() => {
      cancelAnimationFrame(asked);
      asked = requestAnimationFrame(complete);
    }).observe(document.body, { childList: true, subtree: true });
  });
  document.addEventListener("keydown", clickByKey);
}
