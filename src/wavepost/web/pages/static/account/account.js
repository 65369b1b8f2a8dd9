/** Who is using this page: registered here, or known by a token; remembered on this device. */

import { call, Refusal } from "../base/api.js";
import { told } from "../base/problem.js";
import { redraw } from "../base/redraw.js";
import { say } from "../base/words.js";

const KEY = "wavepost.account";

/**
 * `user` is {id, name} and `token` theirs, null while nobody is known; `usage` is what they keep.
 * `isTokenNew` while a token is shown for the only time, `isReplacing` until the server has said
 * which. `signup` is the server's policy.
 */
export const account = {
  user: null,
  token: null,
  usage: null,
  isTokenNew: false,
  isBusy: false,
  isReplacing: false,
  problem: "",
  signup: "open",
};

const changes = new EventTarget();

/** Have `listener` called with the token of before when somebody else is known, or nobody. */
export const onChange = (listener) =>
  changes.addEventListener("change", (event) => listener(event.detail));

/** Take up who this device remembers. */
export async function remember() {
  takeUp(stored());
  // Another tab may have registered, or forgotten.
  addEventListener("storage", (event) => {
    if (event.key === KEY || event.key === null) takeUp(stored());
  });
  await refreshUsage();
}

/** A new user. Where the server wants a sign-up key, `key` is that. */
export const register = (name, key) =>
  attempt(async () => {
    const made = await call("users", { method: "POST", json: { name }, token: key });
    keep({ id: made.id, name: made.name, token: made.access_token });
    account.isTokenNew = true;
  });

/** Whoever has this token. */
export const signIn = (token) =>
  attempt(async () => {
    const known = await call("users/me", { token });
    keep({ id: known.id, name: known.name, token });
    account.usage = known;
  });

/** A new token instead of the one that is known; that one stops at once. */
export const replaceToken = () =>
  attempt(async () => {
    const { user, token: replaced } = account;
    account.isReplacing = true;
    try {
      const made = await call("users/me/token", { method: "POST", token: replaced });
      keep({ ...user, token: made.access_token });
      account.isTokenNew = true;
    } finally {
      account.isReplacing = false;
    }
  });

/** The token was put somewhere safe. */
export function tokenIsKept() {
  account.isTokenNew = false;
  redraw();
}

/** Nobody is known on this device any more; what they sent stays with the server. */
export function forget() {
  keep(null);
}

/** Ask again how much is kept. A token that is no good any more makes its user unknown here. */
export async function refreshUsage() {
  const asked = account.token;
  if (!asked) return;
  try {
    const usage = await call("users/me", { token: asked });
    if (account.token === asked) account.usage = usage;
  } catch (error) {
    if (error instanceof Refusal && error.status === 401) tokenIsRefused(asked);
  }
  redraw();
}

/**
 * The server takes this token no more: it was replaced elsewhere, or its user left. False where
 * another one is known, or will be in a moment, so that it helps to ask again.
 */
export function tokenIsRefused(token) {
  if (account.token !== token || account.isReplacing) return false;
  // It stays in the device's memory until another one takes its place: it may be the server's fault.
  takeUp(null);
  account.problem = say("token_refused");
  return true;
}

async function attempt(what) {
  if (account.isBusy) return;
  Object.assign(account, { isBusy: true, problem: "" });
  redraw();
  try {
    await what();
  } catch (error) {
    account.problem = error.status === 401 ? say("not_let_in") : told(error);
  }
  account.isBusy = false;
  redraw();
}

function keep(known) {
  try {
    if (known) localStorage.setItem(KEY, JSON.stringify(known));
    else localStorage.removeItem(KEY);
  } catch {
    // Some browsers remember nothing for pages; then it is until this one is closed.
  }
  takeUp(known);
}

function stored() {
  try {
    const known = JSON.parse(localStorage.getItem(KEY));
    return known?.token && known.id ? known : null;
  } catch {
    return null;
  }
}

function takeUp(known) {
  const isSame = account.user?.id === known?.id;
  const before = account.token;
  account.user = known && { id: known.id, name: known.name };
  account.token = known?.token ?? null;
  account.problem = "";
  if (!isSame) {
    Object.assign(account, { usage: null, isTokenNew: false });
    changes.dispatchEvent(new CustomEvent("change", { detail: before }));
  }
  redraw();
}
