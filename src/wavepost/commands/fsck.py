"""`wavepost fsck`: whether all that is kept is still what it was when it was converted."""

import json
from dataclasses import asdict
from typing import Any

import click

from wavepost.commands.maintenance import described, opened, sentences
from wavepost.commands.terminal import progress_bar
from wavepost.settings import Settings
from wavepost.storage import connections, copies
from wavepost.storage.inspection import Inspection


def fsck(settings: Settings, *, as_json: bool) -> bool:
    """Print what is damaged, and a summary; whether nothing is. Raises CannotFinish."""
    with (
        sentences("The check has not come to its end"),
        opened(settings, connections.looking) as connection,
    ):
        inspection = Inspection(connection)
        total_bytes = copies.contents(connection).bytes
        found = _read(inspection, total_bytes, as_json=as_json)
        found["unfinished"] = inspection.unfinished()
        found["stray_chunks"] = inspection.stray_chunks()
    found |= {"records": inspection.records, "bytes": inspection.bytes}
    if as_json:
        click.echo(json.dumps(found, indent=2, default=str))
    else:
        click.echo(
            f"records: {inspection.records}, bytes: {inspection.bytes:,}, "
            f"damaged: {inspection.damaged}, unfinished: {found['unfinished']}, "
            f"chunks of no record: {found['stray_chunks']}, "
            f"faults of the file: {len(found['file_faults'])}"
        )
    return not (inspection.damaged or found["stray_chunks"] or found["file_faults"])


def _read(inspection: Inspection, total_bytes: int, *, as_json: bool) -> dict[str, Any]:
    """What is damaged, printed as it is found, or kept for the JSON document."""
    found: dict[str, Any] = {"damaged": [], "file_faults": []}
    with progress_bar(total_bytes) as bar:
        for fault in inspection.file_faults():
            found["file_faults"].append(fault)
            if not as_json:
                with bar.aside():
                    click.echo(f"The database's file: {fault}")
        for record in inspection.damaged_records(bar.advance):
            if as_json:
                found["damaged"].append(asdict(record))
                continue
            with bar.aside():
                click.echo(described(record))
    return found
