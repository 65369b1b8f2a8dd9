/** Calls to the server (docs/api.md). Addresses are relative: a proxy may serve us below a path. */

import { language, say } from "./words.js";

/**
 * The server said no. `code` is the contract's, or "" where something in between answered; `lang` is
 * the language of the message: the server's own are English.
 */
export class Refusal extends Error {
  constructor(status, problem, retryAfter) {
    super(problem.detail ?? withoutDetail(status));
    this.status = status;
    this.lang = problem.lang ?? (problem.detail ? "en" : language);
    this.code = problem.code ?? "";
    this.requestId = problem.request_id ?? "";
    this.retryAfterSeconds = /^\d+$/.test(retryAfter) ? Number(retryAfter) : null;
  }
}

/** Nobody answered: no network, or the server is down. */
export class Unreachable extends Error {
  constructor() {
    super(say("unreachable"));
    this.lang = language;
  }
}

/** The answer's JSON, or null where it has none. Throws Refusal, Unreachable or an AbortError. */
export async function call(path, { method = "GET", token, json, ...options } = {}) {
  // No header can hold it, so it is nobody's.
  if (/[^ -ÿ]/.test(token)) throw new Refusal(401, {}, null);
  const headers = {};
  if (token) headers["Authorization"] = `Bearer ${token}`;
  if (json) headers["Content-Type"] = "application/json";
  const body = json && JSON.stringify(json);
  let answer;
  try {
    answer = await fetch(path, { method, headers, body, ...options });
  } catch (error) {
    throw error.name === "AbortError" ? error : new Unreachable();
  }
  const content = parsed(await answer.text().catch(() => ""));
  // What sits between may answer 200 with a page of its own.
  if (!answer.ok || (content === null && answer.status !== 204)) {
    throw new Refusal(answer.status, content ?? {}, answer.headers.get("Retry-After"));
  }
  return content;
}

/** The JSON that `text` is, or null. */
export function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

function withoutDetail(status) {
  return status === 413 ? say("proxy_too_large") : say("answer_without_detail", { status });
}
