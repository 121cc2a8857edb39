"""Doubts: why an answer is not surer, one sentence for each rule that keeps it down."""

from schemas.vocabulary import Outcome
from services.custody.case import Case

_WHY = {
    "R5": "soundness at takeover is presumed from silence; nobody is on record as having looked",
    "R7a": "the taker noted the harm alone; the giver neither confirmed nor denied it",
    "R7b": "giver and taker contradict each other about the same handoff",
    "R8": "custody passed at an unknown moment inside the bracket",
    "R10": "nobody saw it go; the last holder answers because onward acceptance is not shown",
    "R13a": "the recipient signed without a remark",
    "R13b": "harm shown after delivery counts as there at delivery",
    "R13c": "the harm was shown only after the notice days",
    "R14a": "the sender did not sign to the harm noted at pick-up",
    "R17": "a later look contradicts a report of the harm",
    "R18": "it rests on an unsigned entry against its author's own interest",
    "R20": "nothing on record tells whose leg it was",
}


def doubts(case: Case) -> tuple[str, ...]:
    """The sentences, each after the id of its rule. Rules that are not implemented yet come last."""
    told = [rule for rule in case.doubts if rule in _WHY]
    if "R20" in case.fired and "R20" not in told:
        told.append("R20")
    sentences = [f"{rule}: {_WHY[rule]}" for rule in told]
    if case.outcome is Outcome.UNDETERMINED:
        sentences += [f"{rule}: what is on record does not decide it" for rule in case.fired if rule not in told]
    return (*sentences, *(f"{rule}: not implemented in this version" for rule in case.pending))
