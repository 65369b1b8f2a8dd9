/** What a screen reader says of the uploads: how far they are, and what came of them. */

import { announce } from "../base/announce.js";
import { canSay, say } from "../base/words.js";

/** Small files end faster than their names can be said: those of this time are counted. */
const TOGETHER_MS = 1500;
/** How far they are is said where there is nothing else to be said. */
const QUIET_MS = 5000;

let ended = [];
let quarter = 0;
let lastMs = null;

/** Why a file was refused, in short. */
export const reason = (code) => say(canSay(`code_${code}`) ? `code_${code}` : "code_other");

/** Say that `name` is there. */
export const sayDone = (name) => sayEnd({ name, isDone: true });

/** Say that `name` was refused, and why. */
export const sayRefused = (name, code) => sayEnd({ name, code, isDone: false });

/** Say how far all of them are, at each quarter. `part` is 0 to 1, or null where none is under way. */
export function sayProgress(part) {
  const now = performance.now();
  if (part === null) lastMs = null;
  else lastMs ??= now;
  const reached = Math.floor(4 * (part ?? 0));
  const isNews = reached > quarter && reached < 4;
  quarter = reached;
  if (!isNews || now - lastMs < QUIET_MS) return;
  lastMs = now;
  announce(say("announce_progress", { percent: 25 * reached }));
}

function sayEnd(end) {
  ended.push(end);
  if (ended.length === 1) setTimeout(sayEnds, TOGETHER_MS);
}

function sayEnds() {
  const done = ended.filter(({ isDone }) => isDone);
  const refused = ended.filter(({ isDone }) => !isDone);
  ended = [];
  if (lastMs !== null) lastMs = performance.now();
  if (done.length > 1) announce(say("announce_all_done", { count: done.length }));
  else for (const { name } of done) announce(say("announce_done", { name }));
  if (refused.length > 1) announce(say("announce_all_refused", { count: refused.length }));
  else {
    for (const { name, code } of refused) {
      announce(say("announce_refused", { name, reason: reason(code) }));
    }
  }
}
