"""From what a device saw to what the server is sent: ids, sequences, clocks, signatures, late and repeated uploads."""

import base64
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, timezone

import msgspec

from schemas import codec
from schemas.identifiers import Source
from services.simulate.dice import between, dice, event_id
from services.simulate.habits import Habits
from services.simulate.network import Device
from services.simulate.scribe import Draft
from services.simulate.truth import Sight

LOCAL = timezone(timedelta(hours=8))
"""The network's wall clocks."""


@dataclass(frozen=True, slots=True)
class Upload:
    """One event as it reaches the server. `at` is true time."""

    at: datetime
    envelope: codec.Envelope
    shows: bool
    parcel: str
    sights: tuple[Sight, ...] = ()
    """What its act saw, and what there was to see."""
    repeat: bool = False

    @property
    def order(self) -> tuple[datetime, str, str, bool]:
        """Sorts a day; no two uploads share it."""
        return (self.at, self.envelope.source, self.envelope.id, self.repeat)


def upload_all(drafts: Iterable[Draft], habits: Habits, seed: int, *names: object) -> list[Upload]:
    """Everything that arrives, in the order of arrival. The seed decides what happens; `names`, the day's, the ids."""
    by_source: defaultdict[Source, list[Draft]] = defaultdict(list)
    for draft in drafts:
        by_source[draft.source].append(draft)
    uploads = [upload for source, mine in by_source.items() for upload in _upload(source, mine, habits, seed, names)]
    return sorted(uploads, key=lambda upload: upload.order)


def sign(envelope: codec.Envelope, device: Device) -> codec.Envelope:
    """The envelope with the device's signature; as it was when the device holds no key."""
    if device.key is None:
        return envelope
    signature = base64.b64encode(device.key.sign(codec.signed_form(envelope))).decode()
    return replace_envelope(envelope, keyid=device.keyid, sigalg="ed25519", signature=signature)


def replace_envelope(envelope: codec.Envelope, **changes: str | int | None) -> codec.Envelope:
    """A copy with some attributes changed."""
    return msgspec.structs.replace(envelope, **changes)


def as_sent(envelope: codec.Envelope) -> bytes:
    """The structured-mode CloudEvent that a device posts: the recorded form without anything of the door's."""
    return codec.encode_record(envelope)


def _upload(
    source: Source, mine: Sequence[Draft], habits: Habits, seed: int, names: tuple[object, ...]
) -> Iterable[Upload]:
    chance, ids = dice(seed, "upload", source), dice(*names, "ids", source)
    for number, draft in enumerate(
        sorted(mine, key=lambda draft: (draft.at, draft.subject[-6:], draft.data.TYPE)), start=1
    ):
        envelope = _envelope(draft, event_id(ids), number)
        arrives = draft.at + between(chance, timedelta(seconds=2), timedelta(seconds=40))
        offline = draft.device.offline if draft.device is not None else None
        if offline is not None and offline[0] <= draft.at < offline[1]:
            arrives = offline[1] + (arrives - draft.at)
        lost, repeated = chance.random() < habits.upload_lost, chance.random() < habits.repeated_upload
        again = between(chance, timedelta(seconds=5), timedelta(hours=3))
        if draft.device is not None and lost:
            continue
        upload = Upload(arrives, envelope, draft.shows, draft.parcel, draft.sights)
        yield upload
        if repeated:
            yield replace(upload, at=arrives + again, repeat=True)


def _envelope(draft: Draft, identifier: str, number: int) -> codec.Envelope:
    device = draft.device
    shown = draft.at + (device.offset if device is not None else timedelta())
    envelope = codec.Envelope(
        id=identifier,
        source=str(draft.source),
        type=draft.data.TYPE,
        subject=draft.subject,
        time=shown.astimezone(LOCAL).isoformat(timespec="milliseconds"),
        data=msgspec.json.encode(draft.data),
    )
    if device is None:
        return envelope
    offset_ms = device.offset // timedelta(milliseconds=1) if device.measured else None
    return sign(replace_envelope(envelope, sequence=f"{number:08d}", clockoffsetms=offset_ms), device)
