/**
 * `<wave-player record user name duration frames sample-rate [autoplay]>`: a recording and its
 * waveform. `duration` is in seconds, `frames` those of the MP3 where its bitrate is constant, or
 * nothing, and `sample-rate` the MP3's, in Hz.
 */

import { html, nothing, render } from "../vendor/lit-html/lit-html.js";
import { call } from "../base/api.js";
import { clock } from "../base/format.js";
import { icon } from "../base/icons.js";
import { say } from "../base/words.js";

/** A finger counts as one. */
const LEFT_BUTTON = 1;
const SPEEDS = [0.5, 0.75, 1, 1.25, 1.5, 2];
const KEYS = { ArrowRight: 5, ArrowUp: 5, ArrowLeft: -5, ArrowDown: -5, PageUp: 60, PageDown: -60 };
const BAR = { barWidth: 2, barGap: 1, barRadius: 2, height: 72 };
/** The server's peaks are the upper 8 of 16 bits. */
const FULL_SCALE = 128;
const NO_PEAKS = [[0], [0]];

/** Samples of a frame, for each channel (ISO 11172-3 and 13818-3, layer III). */
const frameSamples = (rate) => (rate < 32_000 ? 576 : 1152);

const isChromium = /Chrome\//.test(navigator.userAgent);
const isDark = matchMedia("(prefers-color-scheme: dark)");

class WavePlayer extends HTMLElement {
  #audio = null;
  /** By how much the browser's clock is behind what is heard, in seconds. */
  #ahead = 0;
  #wave = null;
  #problem = "";
  #recolour = () => this.#wave?.setOptions(this.#colours());

  connectedCallback() {
    this.#draw();
    this.#audio = this.querySelector("audio");
    isDark.addEventListener("change", this.#recolour);
    if (this.hasAttribute("autoplay")) this.#audio.play().catch(() => {});
    this.#drawWave();
  }

  disconnectedCallback() {
    isDark.removeEventListener("change", this.#recolour);
    this.#audio.pause();
    this.#wave?.destroy();
    // The browser would go on loading it.
    this.#audio.removeAttribute("src");
    this.#audio.load();
  }

  get #ids() {
    // As text: another object would be another source to the drawing, which would load it anew.
    return String(
      new URLSearchParams({ id: this.getAttribute("record"), user: this.getAttribute("user") }),
    );
  }

  get #now() {
    return Math.min((this.#audio?.currentTime ?? 0) + this.#ahead, this.#duration);
  }

  get #duration() {
    return Number(this.getAttribute("duration"));
  }

  #draw() {
    const now = this.#now;
    const isPlaying = Boolean(this.#audio && !this.#audio.paused);
    const position = say("position", { now: clock(now), all: clock(this.#duration) });
    render(
      html`
        <audio
          preload="metadata"
          src="record?${this.#ids}&inline=1"
          @play=${() => this.#onPlay()}
          @pause=${() => this.#draw()}
          @timeupdate=${() => this.#draw()}
          @seeked=${() => this.#draw()}
          @error=${() => this.#onError()}
        ></audio>
        <button
          type="button"
          class="play primary"
          aria-label="${say(isPlaying ? "pause" : "play")}: ${this.getAttribute("name")}"
          @click=${() => this.#toggle()}
        >
          ${icon(isPlaying ? "pause" : "play")}
        </button>
        <div
          class="wave"
          role="slider"
          tabindex="0"
          aria-label=${say("seek")}
          aria-valuemin="0"
          aria-valuemax=${Math.round(this.#duration)}
          aria-valuenow=${Math.round(now)}
          aria-valuetext=${position}
          @keydown=${(event) => this.#onKey(event)}
          @pointerdown=${(event) => this.#onPointer(event)}
          @pointermove=${(event) => this.#onPointer(event)}
        ></div>
        <p class="clock">${clock(now)} / ${clock(this.#duration)}</p>
        <label class="speed"
          >${say("speed")}
          <select @change=${(event) => (this.#audio.playbackRate = Number(event.target.value))}>
            ${SPEEDS.map(
              (speed) => html`<option value=${speed} ?selected=${speed === 1}>${speed}×</option>`,
            )}
          </select></label
        >
        ${this.#problem ? html`<p class="error" role="alert">${this.#problem}</p>` : nothing}
      `,
      this,
    );
  }

  async #drawWave() {
    const [{ default: WaveSurfer }, peaks] = await Promise.all([
      import("../vendor/wavesurfer/wavesurfer.js"),
      call(`record/waveform?${this.#ids}`).then(channels, () => NO_PEAKS),
    ]);
    if (!this.isConnected) return;
    this.#wave = WaveSurfer.create({
      container: this.querySelector(".wave"),
      media: this.#audio,
      peaks,
      duration: this.#duration,
      cspNonce: document.querySelector("link[nonce]").nonce,
      normalize: true,
      interact: false,
      hideScrollbar: true,
      ...BAR,
      ...this.#colours(),
    });
  }

  #colours() {
    const style = getComputedStyle(this);
    return {
      waveColor: style.getPropertyValue("--wave").trim(),
      progressColor: style.getPropertyValue("--accent").trim(),
      cursorColor: style.getPropertyValue("--ink").trim(),
    };
  }

  #toggle() {
    if (!this.#audio.paused) return this.#audio.pause();
    // By itself it never tries again.
    if (this.#audio.error) this.#audio.load();
    this.#problem = "";
    this.#audio.play().catch((error) => {
      // Paused before it could begin.
      if (error.name !== "AbortError") this.#onError();
    });
  }

  #onPlay() {
    for (const other of document.querySelectorAll("audio")) {
      if (other !== this.#audio) other.pause();
    }
    this.#draw();
  }

  #onError() {
    if (!this.isConnected) return;
    this.#problem = say("cannot_play");
    this.#draw();
  }

  #onKey(event) {
    const ends = { Home: 0, End: this.#duration };
    if (event.key === " ") this.#toggle();
    else if (event.key in ends) this.#seek(ends[event.key]);
    else if (event.key in KEYS) this.#seek(this.#now + KEYS[event.key]);
    else return;
    event.preventDefault();
  }

  #onPointer(event) {
    if (event.buttons !== LEFT_BUTTON) return;
    const wave = event.currentTarget;
    wave.setPointerCapture(event.pointerId);
    const { left, width } = wave.getBoundingClientRect();
    this.#seek((this.#duration * (event.clientX - left)) / width);
  }

  /**
   * Go to where what was recorded at `seconds` is heard.
   *
   * Chromium goes to the same part of the bytes as of the time. But the bytes hold more than the
   * recording: silence at both ends, and the frame that says how long it is. So it would come too
   * late, the more the nearer to the end: by up to 0.3 s at 8 kHz (measured in Chromium 156).
   */
  #seek(seconds) {
    const wanted = Math.max(0, Math.min(seconds, this.#duration));
    const frames = Number(this.getAttribute("frames"));
    const rate = Number(this.getAttribute("sample-rate"));
    const held = ((frames + 1) * frameSamples(rate)) / rate;
    this.#ahead = isChromium && frames ? wanted * (1 - this.#duration / held) : 0;
    this.#audio.currentTime = wanted - this.#ahead;
    this.#draw();
  }
}

/** The highest and the lowest of each stretch, from audiowaveform's JSON, -1 to 1. */
function channels({ data }) {
  const scaled = data.map((value) => value / FULL_SCALE);
  return [scaled.filter((_, at) => at % 2 === 1), scaled.filter((_, at) => at % 2 === 0)];
}

customElements.define("wave-player", WavePlayer);
