"""A recording that tells its own time, and what a browser lets hear of it.

Two sounds go through it at once. One rises through every minute and begins anew with the next: it
tells the place within the minute, to a millisecond. The other rises through the whole recording, so
slowly that each minute has a pitch of its own: it tells which minute that is.
"""

import base64
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from tests import sound

Channel = npt.NDArray[np.floating[Any]]


@dataclass(frozen=True)
class Glide:
    """A tone whose pitch rises evenly."""

    hertz: float
    hertz_a_second: float
    level: float

    def samples(self, time: Channel) -> Channel:
        """The sound at these times in seconds."""
        turns = (self.hertz + self.hertz_a_second / 2 * time) * time
        return self.level * np.sin(2 * np.pi * turns)

    def time(self, heard: Channel, rate: int, lowest: float, highest: float) -> float:
        """When `heard` begins, in seconds, looking for it between two pitches in Hz."""
        time = np.arange(len(heard)) / rate
        levelled = np.exp(-1j * np.pi * self.hertz_a_second * time**2) * np.hanning(len(heard))
        spectrum = np.abs(np.fft.fft(heard * levelled, rate * _BINS_A_HERTZ))
        first, last = round(lowest * _BINS_A_HERTZ), round(highest * _BINS_A_HERTZ)
        pitch = (first + spectrum[first:last].argmax()) / _BINS_A_HERTZ
        return float((pitch - self.hertz) / self.hertz_a_second)


MINUTE = 60
WITHIN_THE_MINUTE = Glide(400, 40, level=0.3)
WHICH_MINUTE = Glide(100, 0.05, level=0.2)
HIGHEST_HERTZ = 2_800
SILENT = 0.01
"""Louder than what an MP3 makes of silence, and reached within a sample or two of a tone."""

_HEARD_SECONDS = 0.5
_BINS_A_HERTZ = 25


def marked_recording(minutes: int, rate: int, channels: int) -> bytes:
    """A WAV of 16 bits that tells its time in every channel; up to 90 minutes."""
    time = np.arange(MINUTE * rate) / rate
    within = WITHIN_THE_MINUTE.samples(time)
    data = bytearray()
    for minute in range(minutes):
        mono = within + WHICH_MINUTE.samples(minute * MINUTE + time)
        data += np.repeat((mono * 0x7FFF).astype("<i2"), channels).data
    fmt = sound.fmt_chunk(1, channels, rate, 16)
    return sound.riff(sound.chunk(b"fmt ", fmt), sound.chunk(b"data", bytes(data)))


def heard_time(samples: Channel, rate: int) -> float:
    """Where in the recording the sound begins that follows the silence in `samples`, in seconds."""
    begin = int(np.argmax(np.abs(samples) > SILENT))
    heard = samples[begin : begin + round(_HEARD_SECONDS * rate)]
    within = WITHIN_THE_MINUTE.time(heard, rate, 380, HIGHEST_HERTZ)
    roughly = WHICH_MINUTE.time(heard, rate, 90, 380)
    return MINUTE * round((roughly - within) / MINUTE) + within


def samples_of(answer: dict[str, Any]) -> tuple[Channel, int]:
    """The samples and their rate, of what `HEARD` answered."""
    return np.frombuffer(base64.b64decode(answer["samples"]), "<f4"), int(answer["rate"])


LISTEN = """async () => {
  const audio = document.querySelector("audio");
  audio.pause();
  if (window.ear) {
    const last = new Float32Array(2048);
    window.ear.fftSize = last.length;
    do {
      await new Promise(done => setTimeout(done, 10));
      window.ear.getFloatTimeDomainData(last);
    } while (last.some(sample => Math.abs(sample) > 0.001));
    window.sound.disconnect();
  } else {
    const context = new AudioContext({sampleRate: 16000});
    window.sound = context.createMediaElementSource(audio);
    await context.resume();
  }
  const {context} = window.sound;
  window.ear = new AnalyserNode(context, {fftSize: 32768});
  window.sound.connect(window.ear).connect(context.destination);
}"""
"""For `page.evaluate`: pauses the page's only `audio`, waits until that is heard, and listens anew.

What is still on its way when it pauses, up to 0.1 s, would else be heard before what comes next.
"""

HEARD = f"""async seconds => {{
  const {{ear}} = window, rate = ear.context.sampleRate;
  const samples = new Float32Array(ear.fftSize);
  const deadline = performance.now() + 30000;
  for (;;) {{
    ear.getFloatTimeDomainData(samples);
    const begin = samples.findIndex(sample => Math.abs(sample) > {SILENT});
    if (begin === 0) throw new Error("the beginning was missed");
    if (begin > 0 && samples.length - begin >= seconds * rate) break;
    if (performance.now() > deadline) throw new Error("nothing is to be heard");
    await new Promise(done => setTimeout(done, 10));
  }}
  const bytes = Array.from(new Uint8Array(samples.buffer), byte => String.fromCharCode(byte));
  return {{rate, samples: btoa(bytes.join(""))}};
}}"""
"""For `page.evaluate`, with seconds up to 1.5: so much of what plays next, for `samples_of`.

The silence before it comes along. An analyser keeps the last 2 s by itself, so nothing is lost
while the page is busy, and no worklet is needed, which the page's policy would have to allow.
"""
