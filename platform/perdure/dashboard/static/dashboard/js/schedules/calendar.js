/** The calendar in the viewer's own time zone: asked for once, where the address names none. */

const address = new URL(location.href);
const own = Intl.DateTimeFormat().resolvedOptions().timeZone;
const form = document.querySelector("[data-zone-form]");
const known = [...form.querySelectorAll("option")].map((option) => option.value);

if (!address.searchParams.has("zone") && own && known.includes(own) && own !== form.elements.zone.value) {
  address.searchParams.set("zone", own);
  location.replace(address);
}
