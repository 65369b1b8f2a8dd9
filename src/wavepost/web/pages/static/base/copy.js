/** A button that copies a text and says that it has. */

import { html, nothing } from "../vendor/lit-html/lit-html.js";
import { announce } from "./announce.js";
import { icon } from "./icons.js";
import { redraw } from "./redraw.js";
import { say } from "./words.js";

const SHOWN_MS = 2000;

let copied = null;

/**
 * `text` goes to the clipboard; `label` is what the button says, and to who can't see beside what it
 * stands, `about` too.
 */
export function copyButton(text, label, { style = "", about = "" } = {}) {
  const done = copied === text;
  return html`<button type="button" class=${style} @click=${() => copy(text)}>
    ${icon(done ? "check" : "copy")}<span class="either"
      ><span class=${done ? "other" : ""}
        >${label}${about ? html`<span class="unseen">: ${about}</span>` : nothing}</span
      ><span class=${done ? "" : "other"}>${say("copied")}</span></span
    >
  </button>`;
}

async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    // Browsers keep that from pages without HTTPS; the old way still works there.
    if (!copySelected(text)) return prompt(say("not_copied"), text);
  }
  copied = text;
  announce(say("copied"));
  redraw();
  setTimeout(() => {
    if (copied === text) copied = null;
    redraw();
  }, SHOWN_MS);
}

function copySelected(text) {
  const focused = document.activeElement;
  const field = document.createElement("textarea");
  field.value = text;
  field.className = "unseen";
  // Inside an open dialog, nothing outside it can be focused.
  (document.querySelector("dialog[open]") ?? document.body).append(field);
  field.select();
  const done = document.execCommand("copy");
  field.remove();
  focused?.focus();
  return done;
}
