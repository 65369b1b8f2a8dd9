/** The microphone, to a WAV. */

import { say } from "../base/words.js";
import { header, HEADER_BYTES, SAMPLE_BYTES } from "./wav.js";

/** The filters of voice calls would take music and the room for noise. The level is set for people. */
const WANTED = {
  channelCount: 1,
  echoCancellation: false,
  noiseSuppression: false,
  autoGainControl: true,
};
const PIECE_BLOCKS = 128;
const MOST_WAV_BYTES = 2 ** 32 - 1;

/**
 * A recording under way. Samples are gathered in pieces that the browser may keep on disk, so an
 * hour needs no memory of its size.
 */
export class Take {
  seconds = 0;
  /** The loudest of the last block, 0 to 1. */
  level = 0;

  #context;
  #stream;
  #node;
  #pieces = [];
  #blocks = [];
  #bytes = 0;
  #ended;
  #mostBytes;

  /**
   * Ask for the microphone and begin. Throws an Error whose message is for people.
   *
   * `onBlock` is called about ten times a second, and `onEnd` where the recording ends by itself:
   * the microphone is gone, or `mostBytes` are full.
   */
  static async begin({ onBlock, onEnd, mostBytes }) {
    if (!navigator.mediaDevices) throw new Error(say("microphone_needs_https"));
    let stream;
    try {
      stream = await navigator.mediaDevices.getUserMedia({ audio: WANTED });
    } catch (error) {
      throw new Error(because(error));
    }
    const take = new Take();
    try {
      await take.#open(stream, onBlock, onEnd, mostBytes);
    } catch (error) {
      take.#close();
      throw error;
    }
    return take;
  }

  async #open(stream, onBlock, onEnd, mostBytes) {
    this.#stream = stream;
    this.#mostBytes = Math.min(mostBytes, MOST_WAV_BYTES) - HEADER_BYTES;
    const [track] = stream.getAudioTracks();
    // At the microphone's own rate, so that nothing is resampled.
    this.#context = new AudioContext({ sampleRate: track.getSettings().sampleRate });
    await this.#context.audioWorklet.addModule(new URL("capture.js", import.meta.url));
    this.#node = new AudioWorkletNode(this.#context, "capture", {
      channelCount: 1,
      channelCountMode: "explicit",
    });
    this.#ended = new Promise((resolve) => {
      this.#node.port.onmessage = ({ data }) => {
        if (data === null) return resolve();
        if (this.#bytes + data.pcm.byteLength > this.#mostBytes) {
          // Nor is a shorter one taken after it.
          this.#mostBytes = this.#bytes;
          return onEnd(say("take_full"));
        }
        this.#take(data);
        onBlock();
      };
    });
    this.#context.createMediaStreamSource(stream).connect(this.#node);
    // Nothing is heard of it: the node gives silence. Unconnected, it would not run everywhere.
    this.#node.connect(this.#context.destination);
    track.addEventListener("ended", () => onEnd(say("microphone_gone")));
    // A phone call stops it on some phones.
    this.#context.addEventListener("statechange", () => {
      if (this.#context.state !== "closed") this.#context.resume();
    });
    await this.#context.resume();
  }

  /** End it; the WAV, as a File. */
  async end(name) {
    this.#node.port.postMessage(null);
    await this.#ended;
    this.#close();
    const pieces = [
      header(this.#bytes, this.#context.sampleRate),
      ...this.#pieces,
      ...this.#blocks,
    ];
    return new File(pieces, name, { type: "audio/wav" });
  }

  #take({ pcm, peak }) {
    this.#blocks.push(pcm);
    this.#bytes += pcm.byteLength;
    this.seconds = this.#bytes / SAMPLE_BYTES / this.#context.sampleRate;
    this.level = peak;
    if (this.#blocks.length === PIECE_BLOCKS) this.#pieces.push(new Blob(this.#blocks.splice(0)));
  }

  #close() {
    for (const track of this.#stream.getTracks()) track.stop();
    this.#context?.close();
  }
}

function because(error) {
  const known = { NotAllowedError: "microphone_denied", NotFoundError: "microphone_missing" };
  return say(known[error.name] ?? "microphone_failed", { reason: error.message });
}
