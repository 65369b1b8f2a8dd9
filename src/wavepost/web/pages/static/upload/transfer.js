/** One file on its way: its bytes, how fast they go, and the answer. */

import { parsed, Refusal, Unreachable } from "../base/api.js";

const PACE_SECONDS = 3;

/**
 * Send a file; its record. Throws Refusal, Unreachable, or an AbortError once `signal` says so.
 *
 * `key` makes a repeat harmless: the server keeps one recording for it. `onProgress` hears how many
 * bytes are sent. It is XMLHttpRequest because fetch tells nobody how far a body has come.
 */
export function send(file, { token, key, onProgress, signal }) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("POST", `records?${new URLSearchParams({ name: file.name })}`);
    request.setRequestHeader("Authorization", `Bearer ${token}`);
    request.setRequestHeader("Content-Type", "audio/wav");
    request.setRequestHeader("Idempotency-Key", key);
    request.upload.onprogress = (event) => onProgress(event.loaded);
    request.onload = () => {
      const content = parsed(request.responseText);
      // What sits between may answer 200 with a page of its own; only a record says that it is kept.
      if (request.status === 201 && content?.url) resolve(content);
      else {
        reject(
          new Refusal(request.status, content ?? {}, request.getResponseHeader("Retry-After")),
        );
      }
    };
    request.onerror = () => reject(new Unreachable());
    request.onabort = () => reject(new DOMException("", "AbortError"));
    signal.addEventListener("abort", () => request.abort());
    request.send(file);
  });
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
