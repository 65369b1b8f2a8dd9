/** The page of a link: its player is in the HTML already; this brings the button that copies. */

import { render } from "./vendor/lit-html/lit-html.js";
import { copyButton } from "./base/copy.js";
import { day } from "./base/format.js";
import { drawnBy } from "./base/redraw.js";
import { say } from "./base/words.js";
import "./play/player.js";

const time = document.querySelector("main time");
time.textContent = day(time.dateTime);

const place = document.getElementById("copy");

drawnBy(() => render(copyButton(place.dataset.link, say("copy_link")), place));
