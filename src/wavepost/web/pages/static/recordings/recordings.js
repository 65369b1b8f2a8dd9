/** The user's recordings: pages of them, found by name, removed after a while to think again. */

import { html } from "../vendor/lit-html/lit-html.js";
import { account, onChange, refreshUsage, tokenIsRefused } from "../account/account.js";
import { call } from "../base/api.js";
import { announce } from "../base/announce.js";
import { told } from "../base/problem.js";
import { focus, redraw } from "../base/redraw.js";
import { say } from "../base/words.js";

const PAGE = 25;
const UNDO_MS = 10_000;
const TYPING_MS = 250;

/** `items` are {record, isOpen, hasReceipt, removal, problem}; `next` is the cursor of more. */
export const recordings = { items: [], next: null, name: "", isLoading: false, problem: "" };

let asked = null;
let typing = null;

/** Where whoever gets the link can listen. */
export const listenPath = ({ id, user }) => `listen?${new URLSearchParams({ id, user })}`;

/** Begin anew, with the newest. */
export const load = () => fetchPage(null);

/** The page after those that are here. */
export const loadMore = () => fetchPage(recordings.next);

/** Show only those whose name has `name` in it, once the typing pauses. */
export function search(name) {
  clearTimeout(typing);
  recordings.name = name.trim();
  typing = setTimeout(load, TYPING_MS);
}

/** A record that has just arrived. */
export function prepend(record) {
  refreshUsage();
  if (recordings.name) return load();
  if (recordings.items.some((item) => item.record.id === record.id)) return;
  recordings.items.unshift({ record });
  redraw();
}

/** Remove it, unless `keep` is called in time. */
export function remove(item) {
  if (item.removal) return;
  Object.assign(item, { isOpen: false, problem: "" });
  item.removal = setTimeout(() => carryOut(item), UNDO_MS);
  announce(say("announce_removed", { name: item.record.name, count: UNDO_MS / 1000 }));
  redraw();
}

/** Think again. */
export function keep(item) {
  clearTimeout(item.removal);
  item.removal = null;
  announce(say("announce_kept", { name: item.record.name }));
  redraw();
}

/** Nobody can undo it any more once the page is gone: carry out what is due. */
export function removeAllDue() {
  for (const item of recordings.items.filter(({ removal }) => removal)) {
    clearTimeout(item.removal);
    carryOut(item, { keepalive: true });
  }
}

onChange(() => {
  // Another user's page, or nobody's: what was to be removed was so in the other one's name.
  for (const { removal } of recordings.items) clearTimeout(removal);
  Object.assign(recordings, { items: [], next: null, name: "", problem: "" });
  if (account.user) load();
});

async function fetchPage(cursor) {
  asked?.abort();
  const asking = (asked = new AbortController());
  const { token } = account;
  const query = new URLSearchParams({ limit: PAGE });
  if (recordings.name) query.set("name", recordings.name);
  if (cursor) query.set("cursor", cursor);
  Object.assign(recordings, { isLoading: true, problem: "" });
  redraw();
  try {
    const page = await call(`records?${query}`, { token, signal: asking.signal });
    const items = page.records.map((record) => known(record.id) ?? { record });
    recordings.items = cursor
      ? [...recordings.items, ...items.filter((item) => !known(item.record.id))]
      : items;
    recordings.next = page.next;
    if (recordings.name) announce(say("announce_found", { count: recordings.items.length }));
  } catch (error) {
    if (asking.signal.aborted) return;
    if (error.status === 401) tokenIsRefused(token);
    recordings.problem = told(error);
  }
  recordings.isLoading = false;
  redraw();
}

const known = (id) => recordings.items.find((item) => item.record.id === id);

async function carryOut(item, options = {}) {
  const { token } = account;
  try {
    await call(`records/${item.record.id}`, { method: "DELETE", token, ...options });
  } catch (error) {
    // Somebody else was faster.
    if (error.status !== 404) {
      Object.assign(item, {
        removal: null,
        problem: html`${say("not_removed")} ${told(error)}`,
      });
      return redraw();
    }
  }
  const hasFocus = document.activeElement.closest("[data-id]")?.dataset.id === item.record.id;
  recordings.items = recordings.items.filter((other) => other !== item);
  if (hasFocus) focus("#recordings-title");
  refreshUsage();
  redraw();
}
