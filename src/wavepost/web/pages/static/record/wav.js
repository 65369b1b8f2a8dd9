/** A WAV of samples: one channel of 16-bit PCM. */

export const HEADER_BYTES = 44;
export const SAMPLE_BYTES = 2;

/** The file's header for `dataBytes` of sound at `rate` Hz (RIFF WAVE, Microsoft and IBM, 1991). */
export function header(dataBytes, rate) {
  const view = new DataView(new ArrayBuffer(HEADER_BYTES));
  const name = (at, letters) =>
    [...letters].forEach((one, i) => view.setUint8(at + i, one.charCodeAt(0)));
  name(0, "RIFF");
  view.setUint32(4, HEADER_BYTES - 8 + dataBytes, true);
  name(8, "WAVEfmt ");
  view.setUint32(16, 16, true);
  view.setUint16(20, 1, true); // PCM
  view.setUint16(22, 1, true); // channels
  view.setUint32(24, rate, true);
  view.setUint32(28, rate * SAMPLE_BYTES, true);
  view.setUint16(32, SAMPLE_BYTES, true);
  view.setUint16(34, 8 * SAMPLE_BYTES, true);
  name(36, "data");
  view.setUint32(40, dataBytes, true);
  return view.buffer;
}
