/** The user's recordings: pages of them, found by name, removed after a while to think again. */

import { html } from "../vendor/lit-html/lit-html.js";
import { account, onChange, refreshUsage, tokenIsRefused } from "../account/account.js";
import { call } from "../base/api.js";
import { announce } from "../base/announce.js";
import { told } from "../base/problem.js";
import { redraw } from "../base/redraw.js";
import { say } from "../base/words.js";

const PAGE = 25;
const UNDO_MS = 10_000;
const TYPING_MS = 250;

/**
 * `items` are {record, isOpen, hasReceipt, removal, isLeaving, problem}; `next` is the cursor of more.
 * `isLeaving` once a removal can't be undone any more.
 */
export const recordings = { items: [], next: null, name: "", isLoading: false, problem: "" };

/** The items to be removed, whether or not the list shows them now. */
const due = new Set();

let asked = null;
let typing = null;

/** Where whoever gets the link can listen. */
export const listenPath = ({ id, user }) => `listen?${new URLSearchParams({ id, user })}`;

/** Begin anew, with the newest. */
export const load = () => fetchPage(null);

/** The page after those that are here. */
export const loadMore = () => recordings.isLoading || fetchPage(recordings.next);

/** Show only those whose name has `name` in it, once the typing pauses. */
export function search(name) {
  clearTimeout(typing);
  recordings.name = name.trim();
  typing = setTimeout(load, TYPING_MS);
}

/** A record that has just arrived. */
export function prepend(record) {
  refreshUsage();
  // A list that was asked for anew would lose the pages that are here.
  if (!record.name.toLowerCase().includes(recordings.name.toLowerCase())) return;
  if (known(record.id)) return;
  recordings.items = [{ record }, ...recordings.items];
  redraw();
}

/** Remove it, unless `keep` is called in time. */
export function remove(item) {
  if (item.removal) return;
  Object.assign(item, { isOpen: false, problem: "" });
  item.removal = setTimeout(() => carryOut(item), UNDO_MS);
  due.add(item);
  announce(say("announce_removed", { name: item.record.name, count: UNDO_MS / 1000 }));
  redraw();
}

/** Think again. */
export function keep(item) {
  clearTimeout(item.removal);
  item.removal = null;
  due.delete(item);
  announce(say("announce_kept", { name: item.record.name }));
  redraw();
}

/** Nobody can undo it any more once the page, or its user, is gone: carry out what is due. */
export function removeAllDue(token = account.token) {
  for (const item of due) carryOut(item, { token, keepalive: true });
}

onChange((before) => {
  removeAllDue(before);
  Object.assign(recordings, { items: [], next: null, name: "", problem: "" });
  if (account.user) load();
});

async function fetchPage(cursor) {
  asked?.abort();
  const asking = (asked = new AbortController());
  const { token } = account;
  const before = recordings.items;
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
      : // What has arrived since it was asked for is none of the answer.
        [...new Set([...recordings.items.filter((item) => !before.includes(item)), ...items])];
    recordings.next = page.next;
    if (recordings.name) announce(say("announce_found", { count: recordings.items.length }));
  } catch (error) {
    if (asking.signal.aborted) return;
    if (error.status === 401) tokenIsRefused(token);
    recordings.problem = told(error);
    // What is shown is not what was asked for, and has no more pages.
    if (!cursor) recordings.next = null;
  }
  recordings.isLoading = false;
  redraw();
}

const known = (id) => [...recordings.items, ...due].find((item) => item.record.id === id);

async function carryOut(item, { token = account.token, ...options } = {}) {
  clearTimeout(item.removal);
  item.isLeaving = true;
  redraw();
  try {
    await call(`records/${item.record.id}`, { method: "DELETE", token, ...options });
  } catch (error) {
    // Somebody else was faster.
    if (error.status !== 404) {
      due.delete(item);
      Object.assign(item, {
        removal: null,
        isLeaving: false,
        problem: html`${say("not_removed")} ${told(error)}`,
      });
      return redraw();
    }
  }
  due.delete(item);
  recordings.items = recordings.items.filter((other) => other !== item);
  refreshUsage();
  redraw();
}
