/** Whether a file is a WAV, by its first bytes; the server looks closer (src/wavepost/audio/riff.py). */

const NAMES = ["RIFF", "RIFX", "RF64", "BW64"];
const W64 = [
  [0, "72 69 66 66 2e 91 cf 11 a5 d6 28 db 04 c1 00 00"],
  [24, "77 61 76 65 f3 ac d3 11 8c d1 00 c0 4f 8e db 8a"],
];
const ID3_HEADER_BYTES = 10;

/** True for what the server would open. Throws where the file can't be read. */
export async function isWav(file) {
  let at = 0;
  for (let start = await head(file, at); ; start = await head(file, at)) {
    if (text(start, 0, 3) !== "ID3") return begins(start);
    // Some programs put an MP3's tags before the WAV; their size has 7 bits a byte (ID3v2, 3.1).
    const [a, b, c, d] = start.slice(6, ID3_HEADER_BYTES);
    at += ID3_HEADER_BYTES + ((a << 21) | (b << 14) | (c << 7) | d);
  }
}

const head = async (file, at) => new Uint8Array(await file.slice(at, at + 40).arrayBuffer());

function begins(start) {
  if (NAMES.includes(text(start, 0, 4)) && text(start, 8, 12) === "WAVE") return true;
  return W64.every(([at, guid]) => hex(start.slice(at, at + 16)) === guid);
}

const text = (array, from, to) => String.fromCharCode(...array.slice(from, to));
const hex = (array) => [...array].map((byte) => byte.toString(16).padStart(2, "0")).join(" ");
