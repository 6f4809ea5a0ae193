/** Home, workers, usage, schedules and a question: pages that stay as new as what they show. */

import { keepFresh } from "./keep_fresh.js";

const area = document.querySelector("[data-fresh]");
if (area) keepFresh(area);
