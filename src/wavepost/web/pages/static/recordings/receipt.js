/** The receipt: what came in, what was made of it, and what was noticed. */

import { html, nothing } from "../vendor/lit-html/lit-html.js";
import { bytes, clock, dayAndTime, number } from "../base/format.js";
import { icon } from "../base/icons.js";
import { say } from "../base/words.js";

/** Of one record. */
export function receipt({ receipt: { source, mp3, warnings, tags, ...levels }, ...record }) {
  const rows = [
    ["came_in", `${source.format}, ${source.codec}, ${bytes(source.bytes)}`],
    ["sound_in", sound(source.channels, source.sample_rate)],
    ["kept_as", `MP3, ${mp3.mode}, ${mp3.encoder}, ${bytes(record.bytes)}`],
    ["sound_out", sound(record.channels, record.sample_rate)],
    [
      "length",
      `${clock(record.duration)} (${say("samples_count", {
        count: mp3.samples,
        number: number(mp3.samples),
      })})`,
    ],
    ["peak", levels.peak_dbfs === null ? "−∞" : `${number(levels.peak_dbfs)} dBFS`],
    ["arrived", dayAndTime(record.created_at)],
    ...Object.entries(tags).map(([name, value]) => [`tag_${name}`, value]),
    ["sha_wav", source.sha256],
    ["sha_mp3", mp3.sha256],
  ];
  return html`<div class="receipt">
    ${
      warnings.length
        ? html`<ul class="warnings" aria-label=${say("warnings")}>
            ${warnings.map(
              ({ code, detail }) =>
                html`<li>
                  ${icon("warning")}<span
                    ><code>${code}</code> <span lang="en">${detail}</span></span
                  >
                </li>`,
            )}
          </ul>`
        : nothing
    }
    <dl>
      ${rows.map(
        ([name, value]) => html`
          <div>
            <dt>${say(name)}</dt>
            <dd><bdi>${value}</bdi></dd>
          </div>
        `,
      )}
    </dl>
  </div>`;
}

const sound = (channels, rate) =>
  `${say("channels_count", { count: channels })}, ${number(rate)} ${say("hertz")}`;
