"""Walks through a page by the Tab key alone."""

from playwright.sync_api import Page

MAX_STOPS = 600
_MARK = """() => {
  const found = document.querySelectorAll("a[href], button, input, select, textarea, summary, [tabindex='0']");
  const groups = new Set();
  let number = 0;
  for (const one of found) {
    if (one.disabled || one.type === "hidden" || one.ariaHidden === "true") continue;
    if (!one.checkVisibility({ visibilityProperty: true })) continue;
    if (one.type === "radio") {
      // The arrow keys go through a group: Tab stops at one of it.
      if (groups.has(one.name)) continue;
      groups.add(one.name);
    }
    one.dataset.stop = one.type === "radio" ? `radio ${one.name}` : String(++number);
  }
  const said = (one) => (one.getAttribute("aria-label") || one.innerText || one.name || one.id).trim().slice(0, 40);
  const marked = [...document.querySelectorAll("[data-stop]")];
  return marked.map((one) => [one.dataset.stop, `${one.tagName.toLowerCase()} “${said(one)}”`]);
}"""
_HERE = """() => {
  const one = document.activeElement;
  if (!one || one === document.body) return null;
  const rings = (look) => look.outlineStyle !== "none" && parseFloat(look.outlineWidth) > 0;
  // A row or a tile may show it for the link that it holds.
  const shown = [one, one.closest("tr, li, .stat, .card")].some((at) => at && rings(getComputedStyle(at)));
  const stop = one.dataset.stop || (one.type === "radio" ? `radio ${one.name}` : "");
  return { stop, shown, name: one.outerHTML.slice(0, 80) };
}"""

# A page may put the focus into its first field: Tab would go on from there.
_BEGIN = "() => { document.body.tabIndex = -1; document.body.focus(); document.body.removeAttribute('tabindex'); }"


def left_out(page: Page) -> list[str]:
    """What can be clicked and Tab does not reach, and where the focus cannot be seen."""
    wanted = dict(page.evaluate(_MARK))
    reached: set[str] = set()
    unseen = []
    page.evaluate(_BEGIN)
    for _ in range(MAX_STOPS):
        page.keyboard.press("Tab")
        here = page.evaluate(_HERE)
        if here is None or (here["stop"] and here["stop"] in reached):
            break
        reached.add(here["stop"])
        if not here["shown"]:
            unseen.append(f"focus cannot be seen at {here['name']}")
    missed = [f"Tab does not reach {name}" for stop, name in wanted.items() if stop not in reached]
    return missed[:5] + unseen[:5]
