"""Pieces of a consignment: each is an item with its own acts and its own chain (R27)."""

from collections.abc import Sequence
from dataclasses import replace

from schemas.vocabulary import Condition, Facet
from services.custody.core.acts import Act, Kind
from services.custody.core.case import Ground, Scene


def pieces_of(ground: Ground) -> tuple[str, ...]:
    """The pieces that were announced or that anybody named, in that order; none where it is one piece."""
    announced = ground.contract.announced.pieces
    named = (piece for act in ground.scene.acts if act.unit is None for piece in named_by(act))
    return tuple(dict.fromkeys((*announced, *named)))


def scenes(ground: Ground) -> tuple[tuple[str | None, Scene], ...]:
    """What there is to answer about: the consignment as a whole, and each of its pieces."""
    pieces = pieces_of(ground)
    return ((None, scene_of(ground, None, pieces)), *((piece, scene_of(ground, piece, pieces)) for piece in pieces))


def scene_of(ground: Ground, piece: str | None, pieces: Sequence[str] | None = None) -> Scene:
    """The acts that concern a piece, or the consignment as a whole, and the chain that they make."""
    known = pieces_of(ground) if pieces is None else pieces
    if piece is None and not known:
        return ground.scene
    if piece is None:
        acts = [act if _is_about_all(act, known) else replace(act, looks=()) for act in ground.scene.acts]
        return Scene(acts, ground.fold(acts), ground.scene.excluded)
    acts = [seen for act in ground.scene.acts if (seen := _as_of_piece(act, piece, ground)) is not None]
    return Scene(acts, ground.fold(acts), ground.scene.excluded)


def named_by(act: Act) -> tuple[str, ...]:
    """The pieces that an act of the consignment names."""
    named: tuple[str, ...] = getattr(act.fact.data, "pieces", ())
    return named


def _is_about_all(act: Act, pieces: Sequence[str]) -> bool:
    return act.unit is not None or not named_by(act) or set(pieces) <= set(named_by(act))


def _as_of_piece(act: Act, piece: str, ground: Ground) -> Act | None:
    """What an act says of one piece; None where it is silent on it."""
    if act.unit is not None and act.fact.subject == act.unit:
        return act if _was_in(act, piece, ground) else None
    named = named_by(act)
    counted = tuple(look for look in act.looks if look.facet is Facet.COUNT)
    if not named:
        return replace(act, looks=counted)  # takes or moves all of them; of what it saw only the count is sure
    short = tuple(look for look in counted if look.value is Condition.BAD)
    if act.kind is not Kind.ACCEPT or not short:
        return act if piece in named else None
    if piece in named:
        return replace(act, looks=tuple(look for look in act.looks if look not in short))
    # Fewer were taken than there should be: it is the others that are missing, and they moved nowhere.
    return replace(act, kind=Kind.LOOK, looks=short, reservation=None, counterpart=None)


def _was_in(act: Act, piece: str, ground: Ground) -> bool:
    """Whether the piece was in the unit whose act this is: a packing that names others put only those into it."""
    packed = [stay.packed for stay in ground.contained.stays if stay.depth == 1 and stay.since <= act.t <= stay.until]
    named: list[tuple[str, ...]] = [getattr(fact.data, "pieces", ()) for fact in packed]
    return any(not pieces or piece in pieces for pieces in named)
