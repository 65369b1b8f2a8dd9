/** What an error says, marked with the language it says it in. */

import { html } from "../vendor/lit-html/lit-html.js";

/** Of a Refusal or of an Unreachable. */
export const told = ({ message, lang }) => html`<span lang=${lang}>${message}</span>`;
