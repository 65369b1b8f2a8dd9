/** What is seen of the recordings: the search, the list, and for each its player and its receipt. */

import { html, nothing } from "../vendor/lit-html/lit-html.js";
import { repeat } from "../vendor/lit-html/directives/repeat.js";
import { copyButton } from "../base/copy.js";
import { bytes, clock, dayAndTime } from "../base/format.js";
import { icon } from "../base/icons.js";
import { focus, redraw } from "../base/redraw.js";
import { say } from "../base/words.js";
import "../play/player.js";
import { receipt } from "./receipt.js";
import { keep, listenPath, load, loadMore, recordings, remove, search } from "./recordings.js";

/** The section of the page. */
export const myRecordings = () =>
  html`<section
    class="recordings"
    aria-labelledby="recordings-title"
    aria-busy=${recordings.isLoading}
  >
    <header>
      <h2 id="recordings-title" tabindex="-1">${say("my_recordings")}</h2>
      <div class="search" role="search">
        ${icon("search")}
        <input
          id="search"
          type="search"
          maxlength="255"
          placeholder=${say("search")}
          aria-label=${say("search")}
          .value=${recordings.name}
          @input=${(event) => search(event.target.value)}
        />
      </div>
    </header>
    ${
      recordings.problem
        ? html`<p class="error row" role="alert">
            <span>${recordings.problem}</span>
            <button type="button" @click=${load}>${say("try_again")}</button>
          </p>`
        : nothing
    }
    <ul>
      ${repeat(
        recordings.items,
        ({ record }) => record.id,
        (item) => (item.removal ? removed(item) : line(item)),
      )}
    </ul>
    ${recordings.items.length || recordings.problem ? nothing : empty()}
    ${
      recordings.next
        ? html`<button type="button" class="more" @click=${onMore}>${say("more")}</button>`
        : nothing
    }
  </section>`;

function empty() {
  if (recordings.isLoading) return html`<p class="hint">${say("loading")}</p>`;
  return html`<p class="hint">
    ${recordings.name ? say("nothing_found", { name: recordings.name }) : say("nothing_yet")}
  </p>`;
}

const line = (item) => {
  const { record } = item;
  return html`<li class="card recording" data-id=${record.id}>
    <button
      type="button"
      class="play"
      aria-expanded=${Boolean(item.isOpen)}
      @click=${() => toggle(item, "isOpen")}
      aria-label="${say(item.isOpen ? "close_player" : "play")}: ${record.name}"
    >
      ${icon(item.isOpen ? "close" : "play")}
    </button>
    <div class="facts">
      <bdi class="name" title=${record.name}>${record.name}</bdi>
      <p class="hint">
        ${clock(record.duration)} · ${bytes(record.bytes)} ·
        <time datetime=${record.created_at}>${dayAndTime(record.created_at)}</time>
        ${
          record.expires_at
            ? html` · ${say("until", { date: dayAndTime(record.expires_at) })} `
            : nothing
        }
      </p>
    </div>
    <div class="buttons">
      ${copyButton(record.url, say("copy_link"), { about: record.name })}
      ${round("listening_page", "listen", record, { href: listenPath(record), target: "_blank" })}
      ${round("download", "download", record, { href: record.url })}
      <button
        type="button"
        class="round"
        aria-expanded=${Boolean(item.hasReceipt)}
        title=${say("receipt")}
        aria-label="${say("receipt")}: ${record.name}"
        @click=${() => toggle(item, "hasReceipt")}
      >
        ${icon(record.receipt.warnings.length ? "warning" : "receipt")}
      </button>
      <button
        type="button"
        class="round"
        title=${say("delete")}
        aria-label="${say("delete")}: ${record.name}"
        @click=${() => onRemove(item)}
      >
        ${icon("trash")}
      </button>
    </div>
    ${item.problem ? html`<p class="error" role="alert">${item.problem}</p>` : nothing}
    ${
      item.isOpen
        ? html`
            <wave-player
              autoplay
              record=${record.id}
              user=${record.user}
              name=${record.name}
              duration=${record.duration}
              frames=${record.receipt.mp3.mode.startsWith("CBR") ? record.receipt.mp3.frames : ""}
              sample-rate=${record.sample_rate}
            ></wave-player>
          `
        : nothing
    }
    ${item.hasReceipt ? receipt(record) : nothing}
  </li>`;
};

const removed = (item) =>
  html`<li class="card removed" data-id=${item.record.id}>
    <span>${say("removed", { name: item.record.name })}</span>
    ${
      item.isLeaving
        ? nothing
        : html`<button type="button" @click=${() => onKeep(item)}>${say("undo")}</button>`
    }
  </li>`;

const round = (label, picture, { name }, { href, target = "_self" }) => html`
  <a
    class="button round"
    href=${href}
    target=${target}
    rel="noopener"
    title=${say(label)}
    aria-label="${say(label)}: ${name}"
  >
    ${icon(picture)}</a
  >
`;

async function onMore() {
  const before = recordings.items.length;
  await loadMore();
  const first = recordings.items[before];
  if (first) focus(`[data-id="${first.record.id}"] > .play`);
}

function toggle(item, what) {
  item[what] = !item[what];
  redraw();
}

function onRemove(item) {
  remove(item);
  focus(`.removed[data-id="${item.record.id}"] button`);
}

function onKeep(item) {
  keep(item);
  focus(`[data-id="${item.record.id}"] > .play`);
}
