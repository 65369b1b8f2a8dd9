/** What is seen of the account: the first visit, the new token, the menu. */

import { html, nothing } from "../vendor/lit-html/lit-html.js";
import { copyButton } from "../base/copy.js";
import { bytes } from "../base/format.js";
import { icon } from "../base/icons.js";
import { focus } from "../base/redraw.js";
import { say } from "../base/words.js";
import { account, forget, register, replaceToken, signIn, tokenIsKept } from "./account.js";

const MAX_NAME_CHARACTERS = 200;

let hasToken = false;

/** The first visit: a name, or a token from elsewhere. */
export function welcome() {
  return html`<section class="welcome" aria-labelledby="welcome-title">
    <h1 id="welcome-title">${say("slogan")}</h1>
    <p class="lead">${say("slogan_more")}</p>
    ${hasToken || account.signup === "closed" ? tokenForm() : nameForm()}
    <p class="error" role="alert">${account.problem}</p>
  </section>`;
}

const nameForm = () =>
  html`<form class="card ask" @submit=${onName}>
    <label for="name">${say("your_name")}</label>
    <input
      id="name"
      name="name"
      required
      maxlength=${MAX_NAME_CHARACTERS}
      autocomplete="nickname"
      aria-describedby="name-hint"
    />
    ${
      account.signup === "key"
        ? html`
            <label for="key">${say("signup_key")}</label>
            <input id="key" name="key" type="password" required autocomplete="off" />
          `
        : html`<p class="hint" id="name-hint">${say("name_hint")}</p>`
    }
    <button class="primary" ?disabled=${account.isBusy}>${say("begin")}</button>
    <button type="button" class="quiet" @click=${() => choose(true)}>${say("have_token")}</button>
  </form>`;

const tokenForm = () =>
  html`<form class="card ask" @submit=${onToken}>
    <label for="token">${say("your_token")}</label>
    <input id="token" name="token" required autocomplete="off" spellcheck="false" class="code" />
    <button class="primary" ?disabled=${account.isBusy}>${say("sign_in")}</button>
    ${
      account.signup === "closed"
        ? html`<p class="hint">${say("signup_closed")}</p>`
        : html`<button type="button" class="quiet" @click=${() => choose(false)}>
            ${say("no_token")}
          </button>`
    }
  </form>`;

/** The token, for the only time. */
export const newToken = () =>
  html`<section class="card token" aria-labelledby="token-title">
    <h2 id="token-title" tabindex="-1">${say("token_title")}</h2>
    <p>${say("token_once")}</p>
    <code class="code">${account.token}</code>
    <div class="row">
      ${copyButton(account.token, say("copy_token"), { style: "primary" })}
      <button type="button" @click=${tokenIsKept}>${say("token_kept")}</button>
    </div>
  </section>`;

/** Who is known here, what they keep, and how to be forgotten. */
export const menu = () =>
  html`<details class="menu" @keydown=${onEscape}>
    <summary>${icon("person")}<bdi>${account.user.name}</bdi></summary>
    <div class="card">
      ${account.usage ? html`<p>${kept(account.usage)}</p>` : nothing}
      <p class="hint">${say("user_id")} <code class="code">${account.user.id}</code></p>
      <button type="button" @click=${onReplace}>
        ${icon("retry")}<span>${say("replace_token")}</span>
      </button>
      <button type="button" @click=${onForget}>
        ${icon("close")}<span>${say("forget")}</span>
      </button>
      <p class="error" role="alert">${account.problem}</p>
    </div>
  </details>`;

/** The question before a token is gone from this device. */
export const forgetDialog = () =>
  html`<dialog id="forget" aria-labelledby="forget-title">
    <h2 id="forget-title">${say("forget_title")}</h2>
    <p>${say("forget_more")}</p>
    <div class="row">
      ${copyButton(account.token, say("copy_token"))}
      <button type="button" class="danger" @click=${onForgetSure}>${say("forget")}</button>
      <button type="button" @click=${closeForget}>${say("stay")}</button>
    </div>
  </dialog>`;

function kept({ records, bytes: size, quota }) {
  const recordings = say("recordings_count", { count: records });
  const room =
    quota === null ? bytes(size) : say("of_quota", { used: bytes(size), quota: bytes(quota) });
  return `${recordings}, ${room}`;
}

function choose(isKnown) {
  hasToken = isKnown;
  account.problem = "";
  focus(".ask input");
}

async function onName(event) {
  event.preventDefault();
  const fields = new FormData(event.target);
  await register(fields.get("name"), fields.get("key"));
  focus("#token-title");
}

async function onToken(event) {
  event.preventDefault();
  await signIn(new FormData(event.target).get("token").trim());
}

async function onReplace(event) {
  const details = event.target.closest("details");
  await replaceToken();
  if (account.problem) return;
  details.open = false;
  focus("#token-title");
}

const onForget = () => document.getElementById("forget").showModal();
const closeForget = () => document.getElementById("forget").close();

function onForgetSure() {
  closeForget();
  hasToken = false;
  forget();
  focus(".ask input");
}

addEventListener("click", ({ target }) => {
  const open = document.querySelector(".menu[open]");
  if (open && !open.contains(target) && !target.closest("dialog")) open.open = false;
});

function onEscape(event) {
  if (event.key !== "Escape") return;
  event.currentTarget.open = false;
  event.currentTarget.querySelector("summary").focus();
}
