/**
 * A large file on its way, by tus 1.0.0: what came before the line was cut, or before a pause, is
 * not sent again. The server finds the upload by its key, so that nothing need be remembered.
 */

import { request } from "./transfer.js";

const RESUMABLE_BYTES = 16 * 1024 ** 2;
const LEAST_PIECE_BYTES = 1024 ** 2;
const TUS = { "Tus-Resumable": "1.0.0" };

/** Passing: it is gone, stands elsewhere than we thought, or is being converted. */
const ASK_AGAIN = new Set([404, 409, 423]);

/** Whether a file is worth it. */
export const isLarge = (file) => file.size >= RESUMABLE_BYTES;

/**
 * What is known of a file's pieces, for as long as it is in line: `path`, where they go, `stored`,
 * how many bytes are there, `bytes`, how large the next one may be.
 */
export const newPieces = () => ({ path: null, stored: 0, bytes: Infinity, failedAt: null });

/**
 * Send a file, or what the server lacks of it; its record. Throws as `send` does.
 *
 * All that is left goes in one piece. Where not a byte of it arrived, for a proxy takes a body whole
 * or not at all, or refuses so much, the next piece is half as large.
 */
export async function sendInPieces(file, pieces, { key, onProgress, ...options }) {
  pieces.stored = await create(file, key, pieces, options);
  if (pieces.stored === pieces.failedAt) makeSmaller(pieces, file);
  onProgress(pieces.stored);
  while (pieces.stored < file.size) {
    pieces.stored = await sendPiece(file, pieces, { onProgress, ...options });
  }
  return recordOf(pieces, options);
}

/** Have the server forget what it has of the file. */
export function giveUp(pieces, token) {
  if (!pieces.path) return;
  request("DELETE", pieces.path, { token, headers: TUS }).catch(() => {
    // It is swept away within a day.
  });
}

/** Where the upload stands; there may be one with this key already. */
async function create(file, key, pieces, options) {
  const name = btoa(String.fromCharCode(...new TextEncoder().encode(file.name)));
  const headers = {
    ...TUS,
    "Idempotency-Key": key,
    "Upload-Length": file.size,
    "Upload-Metadata": `filename ${name}`,
  };
  const created = await request("POST", "uploads", { headers, ...options });
  const location = created.header("Location");
  if (![200, 201].includes(created.status) || !location) throw created.refusal();
  pieces.path = location;
  if (created.status === 201) return 0;
  // To ask takes it over from a request of ours that the server still hears.
  const stand = await request("HEAD", pieces.path, { headers: TUS, ...options });
  if (stand.status !== 200) throw passing(stand.refusal());
  return Number(stand.header("Upload-Offset"));
}

/** Where it stands after one more piece. */
async function sendPiece(file, pieces, { onProgress, ...options }) {
  const offset = pieces.stored;
  const answer = await request("PATCH", pieces.path, {
    headers: {
      ...TUS,
      "Content-Type": "application/offset+octet-stream",
      "Upload-Offset": offset,
    },
    body: file.slice(offset, offset + pieces.bytes),
    onProgress: (sent) => onProgress(offset + sent),
    ...options,
  }).catch((error) => {
    if (error.name !== "AbortError") pieces.failedAt = offset;
    throw error;
  });
  if (answer.status === 204) return Number(answer.header("Upload-Offset"));
  const refusal = answer.refusal();
  // A limit of something in between, not the server's.
  const isTooLarge = refusal.status === 413 && !refusal.code && pieces.bytes > LEAST_PIECE_BYTES;
  if (!isTooLarge) {
    pieces.failedAt = offset;
    throw passing(refusal);
  }
  makeSmaller(pieces, file);
  return offset;
}

function makeSmaller(pieces, file) {
  const half = Math.min(pieces.bytes, file.size - pieces.stored) / 2;
  pieces.bytes = Math.max(LEAST_PIECE_BYTES, Math.ceil(half));
}

async function recordOf(pieces, options) {
  const answer = await request("GET", pieces.path, { headers: {}, ...options });
  if (answer.content?.record?.url) return answer.content.record;
  throw passing(answer.refusal());
}

function passing(error) {
  error.isPassing = ASK_AGAIN.has(error.status);
  return error;
}
