"""Loads everything that an answer about a subject may rest on: five queries, however many subjects are asked about."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from sqlalchemy import Connection, select

from schemas.positions import Position, Positions
from schemas.readmodel import event, identity_clash, position, record, signature_check
from services.custody.core import concerns, projection, signatures
from services.custody.core.facts import Evidence, Fact, Parked, Rival, fact_of
from services.custody.core.projection import Claim

Checks = dict[tuple[Position, str], bool]
"""Whether the record at a position carries a good signature under a public key."""


def read_positions(connection: Connection) -> Positions:
    """How far every partition is projected, as of this statement."""
    rows = connection.execute(select(position.c.partition, position.c.next_offset).where(position.c.next_offset > 0))
    return Positions({row.partition: row.next_offset for row in rows})


def load_evidence(connection: Connection, subject: str, positions: Positions | None = None) -> Evidence:
    """The evidence about one subject, up to the positions where given; empty for a subject that nobody recorded."""
    return load_many(connection, [subject], positions)[subject]


def load_many(
    connection: Connection,
    subjects: Sequence[str],
    positions: Positions | None = None,
    *,
    made: Checks | None = None,
) -> Mapping[str, Evidence]:
    """The evidence about each of the subjects. Signature checks that nobody had made yet are added to `made`.

    Each query sees what is committed when it starts. Give positions that were read before, so that together they see
    one state; without them an event that comes in between may be seen without the registrations it refers to.
    """
    facts, parked = _events(connection, subjects, positions)
    everything = [fact for found in facts.values() for fact in found]
    registry, _ = _events(connection, concerns.devices(everything), positions)
    devices = [fact for found in registry.values() for fact in found]
    parties = {concerns.party_subject(name) for name in concerns.named_parties([*everything, *devices])}
    registry.update(_events(connection, [*sorted(parties), concerns.POLICY], positions)[0])
    rivals = _rivals(connection, [*everything, *(fact for found in registry.values() for fact in found)], positions)
    known_checks = _signatures(connection, everything)
    made = {} if made is None else made
    bundles = {}
    for subject in subjects:
        own = facts.get(subject, [])
        known_devices = [fact for name in concerns.devices(own) for fact in registry.get(name, ())]
        named = sorted({concerns.party_subject(name) for name in concerns.named_parties([*own, *known_devices])})
        background = [*known_devices, *(fact for name in [*named, concerns.POLICY] for fact in registry.get(name, ()))]
        concerned = [*own, *background]
        bundle = Evidence(
            subject=subject,
            facts=tuple(own),
            registry=tuple(background),
            rivals=tuple(
                rival for identity in sorted({fact.identity for fact in concerned}) for rival in rivals[identity]
            ),
            parked=tuple(parked.get(subject, ())),
        )
        bundles[subject] = replace(bundle, signatures=_checked(bundle, known_checks, made))
    return bundles


def _events(
    connection: Connection, subjects: Sequence[str], positions: Positions | None
) -> tuple[dict[str, list[Fact]], dict[str, list[Parked]]]:
    """Facts and parked records by subject, in order of recording. Repeats tell nothing new and are left out."""
    facts: dict[str, list[Fact]] = defaultdict(list)
    parked: dict[str, list[Parked]] = defaultdict(list)
    if not subjects:
        return facts, parked
    query = (
        select(
            event.c.subject,
            event.c.partition,
            event.c.offset,
            event.c.record_time,
            event.c.standing,
            event.c.reason,
            record.c.value,
        )
        .join(record, (record.c.partition == event.c.partition) & (record.c.offset == event.c.offset))
        .where(event.c.subject.in_(subjects), event.c.standing != projection.REPEAT)
        .order_by(event.c.record_time, event.c.partition, event.c.offset)
    )
    for subject, partition, offset, record_time, standing, reason, value in connection.execute(query):
        place = Position(partition, offset)
        if positions is not None and not positions.covers(place):
            continue
        if standing == projection.PARKED:
            parked[subject].append(Parked(place, record_time, reason))
        else:
            facts[subject].append(fact_of(place, record_time, value))
    return facts, parked


def _rivals(
    connection: Connection, facts: Iterable[Fact], positions: Positions | None
) -> defaultdict[bytes, list[Rival]]:
    """By identity, every content of an identity that has several: the facts' own contents too."""
    rivals: defaultdict[bytes, list[Rival]] = defaultdict(list)
    identities = sorted({fact.identity for fact in facts})
    if not identities:
        return rivals
    query = (
        select(*(identity_clash.c[name] for name in Claim._fields))
        .where(identity_clash.c.identity.in_(identities))
        .order_by(identity_clash.c.identity, identity_clash.c.content_hash)
    )
    for claim in (Claim(*row) for row in connection.execute(query)):
        place = Position(claim.partition, claim.offset)
        if positions is None or positions.covers(place):
            rivals[claim.identity].append(Rival(claim.identity, claim.content_hash, place, claim.record_time))
    # At some positions only one of the contents was there: then nothing rivalled it.
    return defaultdict(list, {identity: found for identity, found in rivals.items() if len(found) > 1})


def _signatures(connection: Connection, facts: Iterable[Fact]) -> Checks:
    """Checks of these facts' signatures that were made before."""
    signed = [fact.position for fact in facts if fact.envelope.signature is not None]
    if not signed:
        return {}
    partitions, offsets = zip(*signed, strict=True)
    # Two plain lists instead of pairs: a few rows too many, but one plan for any number of them.
    query = select(signature_check).where(
        signature_check.c.partition.in_(set(partitions)), signature_check.c.offset.in_(set(offsets))
    )
    return {(Position(row.partition, row.offset), row.public_key): row.valid for row in connection.execute(query)}


def _checked(bundle: Evidence, known: Checks, made: Checks) -> Checks:
    """The checks that an answer may ask for; those that the background sweep has not made yet are made now."""
    results: Checks = {}
    enrolled = concerns.enrolled_keys(bundle.registry)
    for fact in bundle.facts:
        for public_key in enrolled.get((concerns.device_subject(fact.envelope.source), fact.envelope.keyid), ()):
            question = (fact.position, public_key)
            answer = known.get(question)
            if answer is None:
                answer = made[question] = signatures.valid(fact.envelope, public_key)
            results[question] = answer
    return results
