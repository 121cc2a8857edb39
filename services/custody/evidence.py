"""Loads everything that an answer about a subject may rest on, in a bounded number of queries for any number of them.

The closure of a subject: its own events under every label that it has had; those of the units that held it and of the
units that held those (services/custody/units.py); the devices, parties, sites and settings that all of these name. It
decides nothing: whatever could matter at some moment is there, and the core says what does.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from sqlalchemy import Connection, select

from schemas.positions import Position, Positions
from schemas.readmodel import identity_clash, mention, position, signature_check
from services.custody.core import concerns, signatures
from services.custody.core.concerns import Naming
from services.custody.core.facts import Evidence, Fact, Parked, Rival
from services.custody.core.projection import Claim
from services.custody.recorded import load_facts
from services.custody.units import Held, held_by

Checks = dict[tuple[Position, str], bool]
"""Whether the record at a position carries a good signature under a public key."""

LABELS_MAX = 8
"""Codes of one item. Nobody relabels that often; a chain that is longer is cut behind those that were joined first."""


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
    """The evidence about each of the subjects, and about those whose goods are said to be in them (R29).

    Signature checks that nobody had made yet are added to `made`. Each query sees what is committed when it starts.
    Give positions that were read before, so that together they see one state; without them an event that comes in
    between may be seen without the registrations it refers to.
    """
    made = {} if made is None else made
    found = _load(connection, subjects, positions, made)
    goods = {subject: concerns.goods_of(evidence.facts) for subject, evidence in found.items()}
    unknown = sorted({other for others in goods.values() for other in others} - found.keys())
    everything = {**found, **(_load(connection, unknown, positions, made) if unknown else {})}
    return {
        subject: replace(evidence, linked=tuple(everything[other] for other in goods[subject]))
        if goods[subject]
        else evidence
        for subject, evidence in found.items()
    }


def _load(
    connection: Connection, subjects: Sequence[str], positions: Positions | None, made: Checks
) -> Mapping[str, Evidence]:
    """The same, without what is said to be in them."""
    labels = labels_of(connection, subjects, positions)
    facts, parked = load_facts(connection, sorted({label for found in labels.values() for label in found}), positions)
    own = {subject: _merged(facts, labels[subject]) for subject in subjects}
    everything = [fact for found in facts.values() for fact in found]
    registry = dict(load_facts(connection, concerns.policies(everything), positions)[0])
    settings = {subject: _merged(registry, concerns.policies(own[subject])) for subject in subjects}
    held = held_by(connection, own, labels, settings, positions)
    everything += {fact.position: fact for each in held.values() for fact in each.facts}.values()
    _load_registry(connection, everything, positions, registry)
    background = {
        subject: _background([*own[subject], *held[subject].facts], settings[subject], registry) for subject in subjects
    }
    rivals = _rivals(connection, [*everything, *(fact for found in registry.values() for fact in found)], positions)
    known_checks = _signatures(connection, everything)
    return {
        subject: _bundle(
            subject,
            own[subject],
            held[subject],
            background[subject],
            rivals,
            [each for label in labels[subject] for each in parked.get(label, ())],
            (known_checks, made),
        )
        for subject in subjects
    }


def labels_of(
    connection: Connection, subjects: Iterable[str], positions: Positions | None = None
) -> Mapping[str, tuple[str, ...]]:
    """The codes that each item has been under, its own first, then in the order in which they were joined to it.

    That order makes the cut the same for every moment that is asked about: who was joined by then comes first.
    """
    reached = {subject: [subject] for subject in subjects}
    edges: dict[str, set[tuple[object, Position, str]]] = {}
    for _ in range(LABELS_MAX):
        unknown = {label for labels in reached.values() for label in labels} - edges.keys()
        if unknown:
            edges |= _relabellings(connection, unknown, positions)
        grown = False
        for labels in reached.values():
            candidates = [edge for label in labels for edge in edges[label] if edge[2] not in labels]
            if candidates and len(labels) < LABELS_MAX:
                labels.append(min(candidates)[2])
                grown = True
        if not grown:
            break
    return {subject: tuple(labels) for subject, labels in reached.items()}


def _relabellings(
    connection: Connection, labels: Iterable[str], positions: Positions | None
) -> dict[str, set[tuple[object, Position, str]]]:
    """By label: when and where it was joined with which others. A relabelling has a row for each label it names."""
    edges: dict[str, set[tuple[object, Position, str]]] = {label: set() for label in labels}
    one, two = mention.alias("one"), mention.alias("two")
    query = (
        select(one.c.other, one.c.record_time, one.c.partition, one.c.offset, two.c.other)
        .join(two, (two.c.partition == one.c.partition) & (two.c.offset == one.c.offset))
        .where(
            one.c.other.in_(edges),
            one.c.role == Naming.RELABELLED.value,
            two.c.role == Naming.RELABELLED.value,
            two.c.other != one.c.other,
        )
    )
    for label, record_time, partition, offset, other in connection.execute(query):
        place = Position(partition, offset)
        if positions is None or positions.covers(place):
            edges[label].add((record_time, place, other))
    return edges


def _merged(facts: Mapping[str, Sequence[Fact]], subjects: Iterable[str]) -> list[Fact]:
    """The facts about several subjects as one, in order of recording."""
    return sorted((fact for subject in subjects for fact in facts.get(subject, ())), key=lambda fact: fact.order)


def _load_registry(
    connection: Connection, facts: Sequence[Fact], positions: Positions | None, registry: dict[str, list[Fact]]
) -> None:
    """Add what is registered about the devices, parties and sites that the facts name; parties of devices included."""
    devices, _ = load_facts(connection, concerns.devices(facts), positions)
    registry.update(devices)
    named = concerns.named_parties([*facts, *(fact for found in devices.values() for fact in found)])
    parties = {concerns.party_subject(name) for name in named}
    registry.update(load_facts(connection, sorted({*parties, *concerns.sites(facts)}), positions)[0])


def _background(
    facts: Sequence[Fact], settings: Sequence[Fact], registry: Mapping[str, Sequence[Fact]]
) -> tuple[Fact, ...]:
    """What is registered about everything that these facts name."""
    devices = [fact for name in concerns.devices(facts) for fact in registry.get(name, ())]
    parties = sorted({concerns.party_subject(name) for name in concerns.named_parties([*facts, *devices])})
    others = [fact for name in (*parties, *concerns.sites(facts)) for fact in registry.get(name, ())]
    return (*devices, *others, *settings)


def _bundle(
    subject: str,
    own: Sequence[Fact],
    held: Held,
    background: Sequence[Fact],
    rivals: Mapping[bytes, Sequence[Rival]],
    parked: Sequence[Parked],
    checks: tuple[Checks, Checks],
) -> Evidence:
    identities = {fact.identity for fact in (*own, *held.facts, *background)}
    return Evidence(
        subject=subject,
        facts=tuple(own),
        unit_facts=held.facts,
        neighbours=held.neighbours,
        registry=tuple(background),
        rivals=tuple(rival for identity in sorted(identities & rivals.keys()) for rival in rivals[identity]),
        parked=(*parked, *held.parked),
        signatures=_checked([*own, *held.facts], background, *checks),
    )


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


def _checked(facts: Iterable[Fact], registry: Iterable[Fact], known: Checks, made: Checks) -> Checks:
    """The checks that an answer may ask for; those that the background sweep has not made yet are made now."""
    results: Checks = {}
    enrolled = concerns.enrolled_keys(registry)
    for fact in facts:
        for public_key in enrolled.get((concerns.device_subject(fact.envelope.source), fact.envelope.keyid), ()):
            question = (fact.position, public_key)
            answer = known.get(question, made.get(question))
            if answer is None:
                answer = made[question] = signatures.valid(fact.envelope, public_key)
            results[question] = answer
    return results
