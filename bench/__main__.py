"""Everything in one run: `python -m bench`, or `--quick` for a look in a few minutes."""

import compileall
import shutil
import statistics
import sys
import tempfile
from pathlib import Path

import click

from bench import commands, downloads, sounds
from bench.commands import Cost
from bench.report import Table, document, mebibytes, seconds
from bench.service import Service, running
from bench.sounds import Sound
from wavepost.machine import cores

DOCUMENT = Path("docs/performance.md")
LINE_BYTES_A_SECOND = 100e6 / 8
CLIP_SECONDS = 5


@click.command()
@click.option("--quick", is_flag=True, help="Nothing longer than a minute, and nothing written.")
@click.option("--runs", default=5, help="How many of each; the median counts.")
def main(quick: bool, runs: int) -> None:
    """Measure the converter and the service beside their peers."""
    if missing := [tool for tool in ("lame", "ffmpeg") if not shutil.which(tool)]:
        sys.exit(f"Install what it is to be compared with: {', '.join(missing)}.")
    # As installed packages are: reading the source anew would be a third of a command's start.
    compileall.compile_dir("src", quiet=1)
    lengths = ["5 s", "60 s"] if quick else [*sounds.LENGTHS]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        measured = Bench(sounds.make(folder, lengths), folder, runs)
        tables = [measured.conversions(), *measured.service()]
        tables.insert(0, measured.targets())
    if not quick:
        DOCUMENT.write_text(document(tables, runs))


class Bench:
    """Measures, and remembers what the targets are about."""

    def __init__(self, made: list[Sound], folder: Path, runs: int) -> None:
        self._sounds = made
        self._stereo = [sound for sound in made if sound.channels == 2]
        self._folder = folder
        self._runs = runs
        self._targets: list[list[str]] = []

    def targets(self) -> Table:
        """What was promised, and what came of it."""
        note = "What the rest of this page shows, against what was aimed at on two cores."
        return _shown(Table("Targets", note, ["what", "aim", "measured"], self._targets))

    def conversions(self) -> Table:
        """`wavepost convert` beside `lame` and `ffmpeg`."""
        table = Table(
            "One file, as a command",
            "Whole processes, their start included. `lame -q 5` and `ffmpeg` at the same bitrate; "
            "CPU beside what lameenc alone takes for the same samples on one thread.",
            [
                *("sound", "wavepost", "lame", "ffmpeg", "lame ÷ wavepost", "ffmpeg ÷ wavepost"),
                *("CPU ÷ lameenc", "peak memory (lame, ffmpeg)"),
            ],
        )
        for sound in self._sounds:
            costs = commands.in_turns(commands.converters(sound, self._folder), self._runs)
            serial = statistics.median(commands.serial_cpu(sound) for _ in range(self._runs))
            table.rows.append(_conversion_row(sound, costs, serial))
            click.echo(" · ".join(table.rows[-1]))
            if sound.length == "10 min" and sound.channels == 2:
                self._aim_at_conversion(sound, costs, serial)
        return _shown(table)

    def service(self) -> list[Table]:
        """Uploads to a running server, and downloads from it."""
        with running(self._folder / "data") as server:
            tables = [self._single(server), self._at_once(server)]
            tables += [self._beside_long(server), self._memory(server), self._downloads(server)]
        return tables

    def _single(self, server: Service) -> Table:
        table = Table(
            "One upload over HTTP",
            "From the connection to the link, the database's commits included, and `ffmpeg` on "
            "the same file. Those of 60 min are sent at 100 Mbit/s, the others as fast as taken.",
            ["sound", "upload to link", "last byte to answer", "ffmpeg", "ffmpeg ÷ upload"],
        )
        for sound in self._sounds:
            line = LINE_BYTES_A_SECOND if sound.length == "60 min" else None
            ffmpeg = commands.converters(sound, self._folder)["ffmpeg"]
            whole, last, other = [], [], []
            for _ in range(self._runs):
                upload = server.upload(sound.path, line)
                whole.append(upload.whole)
                last.append(upload.after_last_byte)
                if line is None:
                    other.append(commands.run(ffmpeg).wall)
            took, after = statistics.median(whole), statistics.median(last)
            beside = statistics.median(other) if other else None
            table.rows.append(
                [sound.name, seconds(took), seconds(after)]
                + ([seconds(beside), f"{beside / took:.2f}"] if beside else ["", ""])
            )
            click.echo(" · ".join(table.rows[-1]))
            if sound.channels == 2 and beside and sound.length == "5 s":
                self._aim(f"{sound.name}: upload ÷ ffmpeg", "≤ 0.5", f"{took / beside:.2f}")
            if sound.channels == 2 and line:
                self._aim(f"{sound.name}: last byte to answer", "< 300 ms", seconds(after))
        return _shown(table)

    def _at_once(self, server: Service) -> Table:
        table = Table(
            "Uploads at once",
            f"Seconds until the last link. The ratio is to what lameenc alone takes for all of "
            f"them, measured once and divided by the {cores()} cores. Clips a second are of 8 "
            f"senders for {CLIP_SECONDS} s, one clip after another, once.",
            ["sound", "1", "8", "32", "8 ÷ lameenc", "32 ÷ lameenc", "clips a second"],
        )
        for sound in self._sounds:
            if sound.length not in ("5 s", "60 s"):
                continue
            serial = commands.serial_cpu(sound) / cores()
            took = {
                many: statistics.median(
                    server.uploads(sound.path, many)[0] for _ in range(self._runs)
                )
                for many in (1, 8, 32)
            }
            clips = ""
            if sound.length == "5 s":
                clips = f"{server.clips_a_second(sound.path, 8, CLIP_SECONDS):.0f}"
            ratios = [f"{took[many] / (many * serial):.2f}" for many in (8, 32)]
            table.rows.append([sound.name, *map(seconds, took.values()), *ratios, clips])
            click.echo(" · ".join(table.rows[-1]))
            if sound.channels == 2 and sound.length == "60 s":
                self._aim(f"8 of {sound.name} at once ÷ lameenc", "≤ 1.4", ratios[0])
        return _shown(table)

    def _beside_long(self, server: Service) -> Table:
        table = Table(
            "A clip beside long uploads",
            "Ten minutes of stereo are uploaded again and again by so many senders, as fast as "
            "they are taken; meanwhile a clip is, twice as often as the runs.",
            ["sound", "alone", "beside 1", "beside 4"],
        )
        clip, long = self._stereo[0], max(self._stereo, key=lambda sound: min(sound.seconds, 600))
        took = []
        for senders in (0, 1, 4):
            with server.busy(long.path, senders):
                clips = [server.upload(clip.path).whole for _ in range(2 * self._runs)]
            took.append(statistics.median(clips))
        table.rows.append([clip.name, *map(seconds, took)])
        return _shown(table)

    def _memory(self, server: Service) -> Table:
        table = Table(
            "Memory of an upload",
            "The most that the server and its children had at a time, each its share of what they "
            "share, at the speed that the server takes; the median of at most three.",
            ["sound", "at most", "beside the shortest"],
        )
        least = 0
        for sound in (self._stereo[0], max(self._stereo, key=lambda sound: sound.seconds)):
            peaks = []
            for _ in range(min(self._runs, 3)):
                with server.watched_memory() as seen:
                    server.upload(sound.path)
                peaks.append(max(seen))
            peak = round(statistics.median(peaks))
            least = least or peak
            more = f"{(peak - least) / 1024**2:+.0f} MiB"
            table.rows.append([sound.name, mebibytes(peak), more])
        self._aim("memory of the longest beside 5 s", "≤ +64 MB", more)
        return _shown(table)

    def _downloads(self, server: Service) -> Table:
        table = Table(
            "Downloads of a 1 MB MP3",
            f"By {downloads.CONNECTIONS} connections (wrk), each server in one process: the link, "
            "FastAPI's `FileResponse`, and nginx with `sendfile`.",
            ["server", "downloads a second", "MB/s", "÷ FileResponse"],
        )
        megabyte = self._folder / "one.wav"
        sounds.write_stereo(megabyte, seconds=65.5)
        link = server.upload(megabyte).link
        rates = downloads.measure(link, self._folder, self._runs)
        megabytes = (self._folder / downloads.MP3).stat().st_size / 1e6 if rates else 0
        medians = {name: statistics.median(found) for name, found in rates.items()}
        for name, rate in medians.items():
            row = [name, f"{rate:.0f}", f"{rate * megabytes:.0f}"]
            table.rows.append([*row, f"{rate / medians['FileResponse']:.2f}"])
        if medians:
            ratio = medians["wavepost"] / medians["FileResponse"]
            self._aim("downloads of 1 MB ÷ FileResponse", "≥ 3", f"{ratio:.2f}")
        return _shown(table)

    def _aim_at_conversion(self, sound: Sound, costs: dict[str, Cost], serial: float) -> None:
        wall = costs["wavepost"].wall
        lame, ffmpeg = costs["lame"].wall / wall, costs["ffmpeg"].wall / wall
        self._aim(f"{sound.name}: lame ÷ wavepost", "≥ 1.8", f"{lame:.2f}")
        self._aim(f"{sound.name}: ffmpeg ÷ wavepost", "≥ 2.2", f"{ffmpeg:.2f}")
        cpu = costs["wavepost"].cpu / serial
        self._aim(f"{sound.name}: CPU ÷ lameenc", "≤ 1.15", f"{cpu:.2f}")

    def _aim(self, what: str, aim: str, measured: str) -> None:
        self._targets.append([what, aim, measured])


def _conversion_row(sound: Sound, costs: dict[str, Cost], serial: float) -> list[str]:
    ours, lame, ffmpeg = (costs[name] for name in ("wavepost", "lame", "ffmpeg"))
    return [
        sound.name,
        *(seconds(cost.wall) for cost in (ours, lame, ffmpeg)),
        f"{lame.wall / ours.wall:.2f}",
        f"{ffmpeg.wall / ours.wall:.2f}",
        f"{ours.cpu / serial:.2f}",
        f"{mebibytes(ours.peak)} ({mebibytes(lame.peak)}, {mebibytes(ffmpeg.peak)})",
    ]


def _shown(table: Table) -> Table:
    click.echo(f"\n{table.markdown()}")
    return table


if __name__ == "__main__":
    main()
