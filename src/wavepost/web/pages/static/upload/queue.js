/** The files that are to go up: in line, at most two at once, sent again where that helps. */

import { Refusal } from "../base/api.js";
import { announce } from "../base/announce.js";
import { redraw } from "../base/redraw.js";
import { language, say } from "../base/words.js";
import { account, onChange, tokenIsRefused } from "../account/account.js";
import { sayDone, sayRefused } from "./said.js";
import { giveUp, isLarge, newPieces, sendInPieces } from "./resuming.js";
import { Pace, send } from "./transfer.js";
import { isWav } from "./wav.js";

const AT_ONCE = 2;
const LONGEST_WAIT_SECONDS = 30;
const TRIES_AFTER_AN_ERROR = 3;
const PASSING = new Set([408, 429, 502, 503, 504]);
const REDRAW_MS = 100;
const UNDER_WAY = ["waiting", "sending", "retrying"];

/**
 * `owner` is who put it in line, null before anybody was known. Its `state`: waiting → sending ⇄
 * retrying → done | refused; a person may pause, resume and cancel.
 */
export const uploads = [];

/** What the server takes (GET /limits), once it is known. */
export const limits = { maxUploadBytes: Infinity };

/** The files of a folder that were left out, being no WAVs by their names. */
export const notes = { leftOut: 0 };

const arrivals = new EventTarget();

/** Have `listener` called with each record that has arrived. */
export const onArrival = (listener) =>
  arrivals.addEventListener("arrival", (event) => listener(event.detail));

/** Put files in line; `areOnlyHere` if no disk has them. */
export function add({ files, leftOut = 0, areOnlyHere = false }) {
  const owner = account.user?.id ?? null;
  const added = files.map((file) => newUpload(file, owner, areOnlyHere));
  for (const upload of added) uploads.push(upload);
  notes.leftOut = leftOut;
  if (files.length) announce(say("files_added", { count: files.length }));
  refuseAtOnce(added);
  goOn();
}

/** Stop sending; what has gone up of a large file stays there. */
export function pause(...paused) {
  // A second click may come before the first one is drawn; so below.
  for (const upload of paused.filter(({ state }) => UNDER_WAY.includes(state))) {
    upload.state = "paused";
    upload.stop?.abort();
  }
  goOn();
}

/** Into line again, after a pause or a refusal. */
export function resume(upload) {
  if (!["paused", "refused"].includes(upload.state)) return;
  const owner = upload.owner ?? account.user?.id;
  Object.assign(upload, { owner, state: "waiting", sent: upload.pieces.stored, detail: "" });
  goOn();
}

/** Take it out of the line. */
export function cancel(...cancelled) {
  for (const upload of cancelled.filter((upload) => uploads.includes(upload))) {
    uploads.splice(uploads.indexOf(upload), 1);
    if (upload.state !== "done" && account.user) giveUp(upload.pieces, account.token);
    upload.state = "cancelled";
    upload.stop?.abort();
  }
  goOn();
}

/** Take those out that have ended well. */
export const clearDone = () => cancel(...uploads.filter(({ state }) => state === "done"));

/** Whether something is on its way, or will be. */
export const isBusy = () => uploads.some(({ state }) => [...UNDER_WAY, "paused"].includes(state));

/** Whether closing the page now would cost an upload, or a recording that is nowhere else. */
export const wouldLose = () =>
  isBusy() || uploads.some(({ isOnlyHere, state }) => isOnlyHere && state !== "done");

/** The part that is through of all that is not given up, 0 to 1. */
export function progress() {
  const counted = uploads.filter(({ state }) => state !== "refused");
  const total = counted.reduce((sum, { file }) => sum + file.size, 0);
  return total ? counted.reduce((sum, { sent }) => sum + sent, 0) / total : 0;
}

onChange(() => {
  // What somebody put in line is not sent in another's name.
  cancel(...uploads.filter(({ owner }) => owner && account.user && owner !== account.user.id));
  if (!account.user) {
    pause(...uploads.filter(({ owner, state }) => owner && UNDER_WAY.includes(state)));
  }
});

function goOn() {
  if (account.user) {
    const running = uploads.filter(({ state }) => ["sending", "retrying"].includes(state)).length;
    const next = uploads.filter(({ state }) => state === "waiting");
    for (const upload of next.slice(0, Math.max(0, AT_ONCE - running))) run(upload);
  }
  redraw();
}

async function run(upload) {
  const stop = new AbortController();
  upload.stop = stop;
  for (let tries = 1; !stop.signal.aborted; tries++) {
    try {
      await attempt(upload, stop.signal);
      break;
    } catch (error) {
      // A person paused or cancelled, and has said what it is now.
      if (stop.signal.aborted) break;
      const wait = waitBefore(error, tries);
      if (wait === null) {
        refused(upload, error);
        break;
      }
      Object.assign(upload, { state: "retrying", detail: error.message, lang: error.lang });
      redraw();
      await untilOnline(wait, stop.signal);
    }
  }
  goOn();
}

async function attempt(upload, signal) {
  Object.assign(upload, {
    owner: account.user.id,
    state: "sending",
    sent: upload.pieces.stored,
    pace: new Pace(),
    detail: "",
  });
  redraw();
  await check(upload.file);
  if (signal.aborted) return;
  const token = account.token;
  let drawn = 0;
  const onProgress = (sent) => {
    upload.pace.add(sent);
    upload.sent = Math.min(sent, upload.file.size);
    if (performance.now() - drawn < REDRAW_MS && sent < upload.file.size) return;
    drawn = performance.now();
    redraw();
  };
  try {
    const { file, key, pieces } = upload;
    upload.record = isLarge(file)
      ? await sendInPieces(file, pieces, { token, key, onProgress, signal })
      : await send(file, { token, key, onProgress, signal });
  } catch (error) {
    // Replaced while this was on its way: a person need not hear of that.
    error.isPassing ||= error.status === 401 && !tokenIsRefused(token);
    throw error;
  }
  Object.assign(upload, { state: "done", sent: upload.file.size });
  sayDone(upload.record.name);
  arrivals.dispatchEvent(new CustomEvent("arrival", { detail: upload.record }));
}

const newUpload = (file, owner, isOnlyHere) => ({
  file,
  owner,
  isOnlyHere,
  key: newKey(),
  pieces: newPieces(),
  state: "waiting",
  sent: 0,
  pace: null,
  detail: "",
});

/** Those that can't go up need not wait in line to hear it. */
async function refuseAtOnce(added) {
  for (const upload of added) {
    await check(upload.file).catch((error) => {
      if (upload.state === "waiting") refused(upload, error);
    });
  }
  redraw();
}

/** Throws what the server would say anyway, before anything is sent. */
async function check(file) {
  const refusal = (code, detail) => new Refusal(0, { code, detail, lang: language }, null);
  const itIsWav = await isWav(file).catch(() => {
    throw refusal("file_gone", say("file_gone"));
  });
  if (!file.size) throw refusal("empty_audio", say("file_empty"));
  if (!itIsWav) throw refusal("not_a_wav", say("not_a_wav_detail"));
  if (file.size > limits.maxUploadBytes) throw refusal("too_large", say("file_too_large"));
}

function refused(upload, error) {
  Object.assign(upload, {
    state: "refused",
    sent: 0,
    code: error.code ?? "",
    detail: error.message,
    lang: error.lang,
  });
  sayRefused(upload.file.name, upload.code);
}

/** Seconds to wait before sending again, or null where that would not help. */
function waitBefore(error, tries) {
  const wait = Math.min(2 ** (tries - 1), LONGEST_WAIT_SECONDS);
  if (!(error instanceof Refusal)) return wait;
  if (error.isPassing || PASSING.has(error.status)) {
    return Math.max(1, error.retryAfterSeconds ?? wait);
  }
  // The first try may be under way still, on a connection that broke for us alone.
  if (error.status === 409) return wait;
  return error.status >= 500 && error.status !== 507 && tries < TRIES_AFTER_AN_ERROR ? wait : null;
}

/** Wait; not so long if the network comes back. */
function untilOnline(seconds, signal) {
  return new Promise((resolve) => {
    setTimeout(resolve, seconds * 1000);
    addEventListener("online", resolve, { once: true, signal });
    signal.addEventListener("abort", resolve);
  });
}

/** 128 random bits. (`crypto.randomUUID` is kept from pages without HTTPS.) */
function newKey() {
  const random = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(random, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
