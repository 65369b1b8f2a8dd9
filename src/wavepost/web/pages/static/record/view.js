/** What is seen of a recording made here: the button, the level and the time, the take to listen to. */

import { html, nothing } from "../vendor/lit-html/lit-html.js";
import { announce } from "../base/announce.js";
import { clock } from "../base/format.js";
import { icon } from "../base/icons.js";
import { focus, redraw } from "../base/redraw.js";
import { say } from "../base/words.js";
import { add, limits } from "../upload/queue.js";
import { Take } from "./microphone.js";

const QUIETEST_DB = -60;

/** `take` while it records; `file` and its `url` once there is something to listen to. */
const recorder = { take: null, isStarting: false, file: null, url: null, problem: "" };

/** Whether something would be lost if the page were closed now. */
export const hasTake = () => Boolean(recorder.take ?? recorder.file);

/** The button that stands beside those for files. */
export const recordButton = () =>
  html`<button
    type="button"
    id="record"
    ?disabled=${recorder.isStarting || hasTake()}
    @click=${begin}
  >
    ${icon("microphone")}<span>${say("record")}</span>
  </button>`;

/** The recording under way, or the one that waits to be sent. */
export function recorderPanel() {
  if (recorder.take) return recording(recorder.take);
  if (recorder.file) return finished();
  return recorder.problem
    ? html`<p class="error card" role="alert">${recorder.problem}</p>`
    : nothing;
}

const recording = (take) => html`
  <section class="card recorder" aria-label=${say("recording")}>
    <p class="row">
      <span class="lamp"></span><strong>${say("recording")}</strong>
      <time role="timer" class="clock">${clock(take.seconds)}</time>
    </p>
    <meter
      min="0"
      max="1"
      high="0.95"
      .value=${loudness(take.level)}
      aria-label=${say("level")}
    ></meter>
    <button type="button" class="primary" id="stop" @click=${() => end("")}>
      ${icon("stop")}<span>${say("stop")}</span>
    </button>
  </section>
`;

const finished = () =>
  html`<section class="card recorder" aria-label=${say("take")}>
    ${recorder.problem ? html`<p class="error" role="alert">${recorder.problem}</p>` : nothing}
    <audio controls src=${recorder.url} aria-label=${say("take")}></audio>
    <label for="take-name">${say("take_name")}</label>
    <input id="take-name" .value=${recorder.file.name} maxlength="200" />
    <div class="row">
      <button type="button" class="primary" @click=${send}>
        ${icon("arrow")}<span>${say("send")}</span>
      </button>
      <button type="button" @click=${discard}>
        ${icon("trash")}<span>${say("discard")}</span>
      </button>
    </div>
  </section>`;

async function begin() {
  if (recorder.isStarting || hasTake()) return;
  Object.assign(recorder, { isStarting: true, problem: "" });
  // What plays would be recorded.
  for (const audio of document.querySelectorAll("audio")) audio.pause();
  redraw();
  try {
    recorder.take = await Take.begin({
      onBlock: redraw,
      onEnd: end,
      mostBytes: limits.maxUploadBytes,
    });
    announce(say("recording"));
    focus("#stop");
  } catch (error) {
    recorder.problem = error.message;
  }
  recorder.isStarting = false;
  redraw();
}

async function end(why) {
  const { take } = recorder;
  if (!take) return;
  recorder.take = null;
  recorder.file = await take.end(newName());
  recorder.url = URL.createObjectURL(recorder.file);
  recorder.problem = why;
  announce(say("announce_take", { time: clock(take.seconds) }));
  focus(".recorder audio");
}

function send() {
  const typed = document.getElementById("take-name").value.trim() || recorder.file.name;
  const name = /\.wav$/i.test(typed) ? typed : `${typed}.wav`;
  add({ files: [new File([recorder.file], name, { type: "audio/wav" })], areOnlyHere: true });
  discard();
}

function discard() {
  URL.revokeObjectURL(recorder.url);
  Object.assign(recorder, { file: null, url: null, problem: "" });
  focus("#record");
}

/** `Recording 2026-11-21 17.30.wav`, in the reader's own time. */
function newName() {
  const now = new Date();
  const two = (value) => String(value).padStart(2, "0");
  const date = [now.getFullYear(), two(now.getMonth() + 1), two(now.getDate())].join("-");
  return `${say("take")} ${date} ${two(now.getHours())}.${two(now.getMinutes())}.wav`;
}

/** 0 to 1, even steps in decibels: as loud as it sounds. */
const loudness = (peak) => Math.max(0, 1 - (20 * Math.log10(Math.max(peak, 1e-6))) / QUIETEST_DB);
