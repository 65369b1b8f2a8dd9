/** On the browser's audio thread: gathers what the microphone gives, as 16-bit samples. */

const BLOCK_SAMPLES = 4096;

class Capture extends AudioWorkletProcessor {
  #block = new Int16Array(BLOCK_SAMPLES);
  #filled = 0;
  #peak = 0;

  constructor() {
    super();
    // The last samples are asked for: they seldom fill a block.
    this.port.onmessage = () => {
      this.#post();
      this.port.postMessage(null);
    };
  }

  process([input]) {
    for (const sample of input[0] ?? []) {
      this.#peak = Math.max(this.#peak, Math.abs(sample));
      this.#block[this.#filled++] = Math.max(-32768, Math.min(32767, Math.round(sample * 32768)));
      if (this.#filled === BLOCK_SAMPLES) this.#post();
    }
    return true;
  }

  #post() {
    const pcm = this.#block.slice(0, this.#filled).buffer;
    this.port.postMessage({ pcm, peak: this.#peak }, [pcm]);
    this.#filled = this.#peak = 0;
  }
}

registerProcessor("capture", Capture);
