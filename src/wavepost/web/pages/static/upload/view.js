/** What is seen of the uploads: where files are dropped, and a line for each. */

import { html, nothing } from "../vendor/lit-html/lit-html.js";
import { repeat } from "../vendor/lit-html/directives/repeat.js";
import { account } from "../account/account.js";
import { copyButton } from "../base/copy.js";
import { bytes, span } from "../base/format.js";
import { icon } from "../base/icons.js";
import { say } from "../base/words.js";
import { reason } from "./said.js";
import { listenPath } from "../recordings/recordings.js";
import { dropped, picked } from "./files.js";
import { add, cancel, clearDone, notes, pause, resume, uploads } from "./queue.js";
import { isLarge } from "./resuming.js";

const TYPES = ".wav,.wave,.w64,.rf64,.bwf,audio/wav,audio/x-wav,audio/vnd.wave";

/** Where files are dropped or picked; `recorder` is a button that stands with the others. */
export const dropZone = (recorder) => html`
  <div class="drop" id="drop">
    <p class="drop-title">${icon("arrow")}${say("drop_here")}</p>
    <div class="row">
      <button type="button" class="primary" @click=${() => choose("files")}>
        ${say("choose_files")}
      </button>
      <button type="button" @click=${() => choose("folder")}>
        ${icon("folder")}<span>${say("choose_folder")}</span>
      </button>
      ${recorder}
    </div>
    <input
      id="files"
      type="file"
      multiple
      accept=${TYPES}
      hidden
      @change=${onFiles}
      aria-label=${say("choose_files")}
    />
    <input
      id="folder"
      type="file"
      webkitdirectory
      hidden
      @change=${onFolder}
      aria-label=${say("choose_folder")}
    />
  </div>
`;

/** The files in line. */
export function queue() {
  if (!uploads.length && !notes.leftOut) return nothing;
  const hasDone = uploads.some(({ state }) => state === "done");
  return html`<section class="queue" aria-labelledby="queue-title">
    <header>
      <h2 id="queue-title">${say("uploads")}</h2>
      ${
        hasDone
          ? html`<button type="button" class="quiet" @click=${clearDone}>
              ${say("clear_done")}
            </button>`
          : nothing
      }
    </header>
    ${
      notes.leftOut
        ? html`<p class="hint">${say("left_out", { count: notes.leftOut })}</p>`
        : nothing
    }
    <ul>
      ${repeat(uploads, ({ key }) => key, line)}
    </ul>
  </section>`;
}

/** Have files dropped anywhere on the page put in line. */
export function takeDrops() {
  let depth = 0;
  const over = (change) => {
    depth = Math.max(0, depth + change);
    document.body.classList.toggle("dropping", depth > 0);
  };
  addEventListener("dragenter", () => over(1));
  addEventListener("dragleave", () => over(-1));
  addEventListener("dragover", (event) => event.preventDefault());
  addEventListener("drop", async (event) => {
    event.preventDefault();
    over(-depth);
    add(await dropped(event.dataTransfer));
  });
}

const line = (upload) =>
  html`<li class="card upload" data-state=${upload.state}>
    <div class="upload-head">
      <bdi class="name" title=${upload.file.name}>${upload.file.name}</bdi>
      <span class="buttons">${buttons(upload)}</span>
    </div>
    ${
      upload.state === "done"
        ? result(upload)
        : html`${bar(upload)}
            <p class="state">${state(upload)}</p>`
    }
  </li>`;

const bar = ({ file, sent, state }) =>
  state === "refused"
    ? nothing
    : html`<progress
        max=${file.size || 1}
        .value=${sent}
        aria-label=${say("progress_of", { name: file.name })}
      ></progress>`;

function state({ state, file, sent, pace, code, detail, lang }) {
  if (state === "refused") {
    return html`${icon("warning")}<span
        ><strong>${reason(code)}</strong> <span lang=${lang}>${detail}</span></span
      >`;
  }
  if (state === "retrying") {
    return html`${icon("retry")}<span
        ><span lang=${lang}>${detail}</span> ${say("retrying")}</span
      >`;
  }
  if (state === "waiting" && !account.user) return say("state_waiting_for_name");
  if (state === "paused" && isLarge(file)) return say("state_paused_here");
  if (state !== "sending") return say(`state_${state}`);
  if (sent >= file.size) return say("state_finishing");
  const speed = pace.bytesPerSecond;
  const through = say("of_total", { sent: bytes(sent), total: bytes(file.size) });
  if (!speed) return through;
  const left = say("time_left", { time: span((file.size - sent) / speed) });
  return `${through} · ${say("a_second", { size: bytes(speed) })} · ${left}`;
}

function result({ record }) {
  const warnings = record.receipt.warnings.length;
  return html`
    <p class="state">
      ${icon("check")}<a href=${record.url}>${shortened(record.url)}</a>
      ${
        warnings
          ? html`<span class="badge">${say("warnings_count", { count: warnings })}</span>`
          : nothing
      }
    </p>
    <div class="row">
      ${copyButton(record.url, say("copy_link"), { style: "primary", about: record.name })}
      <a class="button" href=${listenPath(record)} target="_blank" rel="noopener"
        >${icon("listen")}<span
          >${say("listening_page")}<span class="unseen">: ${record.name}</span></span
        ></a
      >
    </div>
  `;
}

/** A link as it is shown: its ids begin, and are cut. */
const shortened = (url) =>
  url.replace(/^https?:\/\//, "").replace(/([0-9a-f]{8})-[0-9a-f-]+/g, "$1…");

function buttons(upload) {
  const { name } = upload.file;
  const round = (label, picture, action) => html`
    <button
      type="button"
      class="round"
      aria-label="${say(label)}: ${name}"
      title=${say(label)}
      @click=${() => action(upload)}
    >
      ${icon(picture)}
    </button>
  `;
  const state = upload.state;
  return html`
    ${state === "done" ? nothing : round(...(AGAIN[state] ?? ["pause", "pause", pause]))}
    ${round(["done", "refused"].includes(state) ? "clear" : "cancel", "close", cancel)}
  `;
}

/** What to press where it does not go on by itself: in the place of the pause, which keeps the focus. */
const AGAIN = { paused: ["resume", "play", resume], refused: ["try_again", "retry", resume] };

const choose = (id) => document.getElementById(id).click();

function onFiles(event) {
  add({ files: [...event.target.files] });
  event.target.value = "";
}

function onFolder(event) {
  add(picked(event.target.files));
  event.target.value = "";
}
