/** One file on its way: its bytes, how fast they go, and the answer. */

import { parsed, Refusal, Unreachable } from "../base/api.js";

const PACE_SECONDS = 3;

/**
 * Send a file in one request; its record. Throws Refusal, Unreachable, or an AbortError once
 * `signal` says so.
 *
 * `key` makes a repeat harmless: the server keeps one recording for it. `onProgress` hears how many
 * bytes are sent.
 */
export async function send(file, { key, ...options }) {
  const path = `records?${new URLSearchParams({ name: file.name })}`;
  const headers = { "Content-Type": "audio/wav", "Idempotency-Key": key };
  const answer = await request("POST", path, { headers, body: file, ...options });
  // What sits between may answer 200 with a page of its own; only a record says that it is kept.
  if (answer.status === 201 && answer.content?.url) return answer.content;
  throw answer.refusal();
}

/**
 * The answer to a request, whatever its status: `status`, `header(name)`, `content`, `refusal()`.
 *
 * It is XMLHttpRequest because fetch tells nobody how far a body has come.
 */
export function request(method, path, { token, headers, body, onProgress, signal }) {
  return new Promise((resolve, reject) => {
    const sent = new XMLHttpRequest();
    sent.open(method, path);
    sent.setRequestHeader("Authorization", `Bearer ${token}`);
    for (const [name, value] of Object.entries(headers)) sent.setRequestHeader(name, value);
    if (onProgress) sent.upload.onprogress = (event) => onProgress(event.loaded);
    sent.onload = () => resolve(answerOf(sent));
    sent.onerror = () => reject(new Unreachable());
    sent.onabort = () => reject(new DOMException("", "AbortError"));
    signal?.addEventListener("abort", () => sent.abort());
    sent.send(body);
  });
}

function answerOf(sent) {
  const content = parsed(sent.responseText);
  const header = (name) => sent.getResponseHeader(name);
  const refusal = () => new Refusal(sent.status, content ?? {}, header("Retry-After"));
  return { status: sent.status, header, content, refusal };
}

/** How fast something goes: bytes a second, lately. */
export class Pace {
  #seen = [];

  /** `sent` bytes are through by now (seconds). */
  add(sent, now = performance.now() / 1000) {
    this.#seen.push({ sent, now });
    while (this.#seen.length > 2 && now - this.#seen[0].now > PACE_SECONDS) this.#seen.shift();
  }

  /** Bytes a second, or null as long as that can't be told. */
  get bytesPerSecond() {
    const [first, last] = [this.#seen[0], this.#seen.at(-1)];
    const seconds = last ? last.now - first.now : 0;
    return seconds > 0.2 ? (last.sent - first.sent) / seconds : null;
  }
}
