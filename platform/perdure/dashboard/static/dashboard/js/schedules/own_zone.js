/** A new schedule begins with the time zone of who makes it. */

const field = document.querySelector("input[name=when-timezone]");
const own = Intl.DateTimeFormat().resolvedOptions().timeZone;

if (field && own && field.value === field.defaultValue && [...field.list.options].some((option) => option.value === own)) field.value = own;
