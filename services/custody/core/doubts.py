"""Doubts: why an answer is not surer, one sentence in both languages for each rule that keeps it down."""

from schemas.vocabulary import Outcome
from services.custody.core.case import Case
from services.custody.core.verdict import Doubt
from services.custody.core.wording import Text

_WHY = {
    "R1": Text(
        "a taker names a giver who never signed for it, so that one more may have had it",
        "接收方所称的移交方没有接收记录，其间可能另有一方经手",
    ),
    "R3": Text("nothing that could be checked supports the report", "报告没有可核验的证据支持"),
    "R5": Text(
        "no check at the takeover is on record; that nothing was wrong then is only presumed",
        "接收时没有查验记录，当时无异常仅为推定",
    ),
    "R6": Text("the taker's remark came after its acceptance", "接收方的批注系接收之后补作"),
    "R7a": Text(
        "the taker noted the harm alone; the giver neither confirmed nor denied it",
        "异常仅由接收方单方记录，移交方既未确认也未否认",
    ),
    "R7b": Text("giver and taker contradict each other about the same handoff", "交接双方就同一次交接的记录相互矛盾"),
    "R8": Text("custody passed at an unknown moment of the time in question", "保管责任在所涉期间内的转移时刻不明"),
    "R9a": Text(
        "that nobody had access while the seal was whole is only presumed",
        "封志完好期间仅系推定无人接触内件",
    ),
    "R9b": Text("a check of the seal was not made directly", "封志的核验并非均为直接记录"),
    "R9d": Text("nobody is on record as having looked when the unit was opened", "开启总包时没有查验记录"),
    "R9e": Text("no seal number was recorded at the sealing", "封装时未记录封志号码"),
    "R9f": Text("the unit was opened on the way for an authority", "总包途中曾依机关要求开启"),
    "R9g": Text(
        "the seals leave no time for it, so an earlier look or a weighing may be wrong",
        "按封志记录已无可能发生的期间，此前的查验或计量可能有误",
    ),
    "R11": Text(
        "a logger alone says where it happened; nobody saw it",
        "仅依据记录仪判断损坏发生的区段，过程无人看到",
    ),
    "R12": Text("a weight speaks for what is missing, nobody saw it go", "仅以重量推断短少，过程无人看到"),
    "R14b": Text(
        "what the packing did and what a blow did cannot be told apart",
        "包装缺陷与途中冲击各自的影响无法区分",
    ),
    "R15": Text("the goods were put into a new carton and nobody looked at them then", "更换外包装时未查看内件"),
    "R29": Text("where the labels were swapped is inferred from who held both", "换错地点系由何方同时保管两件推断"),
    "R30": Text(
        "it may have happened while an authority held the parcel",
        "可能发生于机关占有期间",
    ),
    "R31": Text("where it was while it counted as lost is not known", "视为丢失期间快件的去向不明"),
    "R35": Text("what each blow did to the result cannot be told apart", "各次损坏对结果的影响无法区分"),
    "R10": Text(
        "nobody saw how the parcel was lost",
        "丢失过程无人看到",
    ),
    "R13a": Text(
        "that it happened after delivery is presumed from the recipient's silence",
        "“发生于交付之后”系由收件人未作批注推定",
    ),
    "R13b": Text("harm shown after delivery counts as there at delivery", "交付后举证的损失视为交付时已存在"),
    "R13c": Text("the harm was shown only after the notice days", "损失在通知期届满后方才举证"),
    "R26": Text(
        "harm shown soon after an unattended pick-up or drop counts as there then",
        "无人值守的取件或投放后短期内举证的损失视为当时已存在",
    ),
    "R28": Text("it is not proved to be the same parcel", "是否为同一快件未经证明"),
    "R14a": Text("the sender did not sign to the harm noted at pick-up", "揽收时注明的异常未经寄件人签字确认"),
    "R16": Text("nobody is on record as having seen it sound before", "此前没有完好的记录"),
    "R17": Text("a later look contradicts a report of the harm", "其后的查验与损坏记录相矛盾"),
    "R18": Text(
        "it rests on an unsigned entry against its author's own interest", "所依据的是不利于记录方自身的未签名记录"
    ),
    "R20": Text("nothing on record tells whose leg it was", "现有记录无法确定发生于哪一区段"),
    "R36": Text(
        "no clock tells which of two events came first, and the answer hangs on it",
        "两项记录的先后无法凭时钟判定，而结论取决于此",
    ),
    "R22": Text("nothing on record tells whose hours they were", "现有记录无法确定由谁造成延误"),
}
_HALVED = Text(
    "custody passed unseen, so the hours of the two cannot be told apart", "交接时刻不明，双方的超时无法区分"
)
"""R22, where a plan tells that it took too long and no record whose hours they were."""
_TOO_LATE = Text(
    "the harm was shown only after the hours allowed for it after an unattended pick-up or drop",
    "损失在无人值守取件或投放后的举证期限届满后方才举证",
)
"""R13c, where R26 sets the time."""
_NO_BLOW = Text("the logger covered the whole way and felt no blow", "记录仪全程覆盖而未记录到冲击")
"""R11, where it leaves nobody."""
_INFERRED = Text(
    "that the bad packing caused it is inferred; nobody saw it break", "包装缺陷导致损坏系推断，破损过程无人看到"
)
"""R14b, where nothing else than the packing explains the harm."""
_UNDECIDED = ("R3", "R16", "R20", "R22")
"""Rules that say by speaking at all that something is not known."""


def doubts(case: Case) -> tuple[Doubt, ...]:
    """Rule by rule, in the order in which they spoke."""
    told = [rule for rule in case.doubts if rule in _WHY]
    undecided = [rule for rule in _UNDECIDED if rule in case.fired and rule not in told]
    told += [rule for rule in undecided if rule != "R22" or not case.delay]
    return tuple(Doubt(rule, why.en, why.zh) for rule in told for why in (_why(rule, case),))


def _why(rule: str, case: Case) -> Text:
    if rule == "R11" and "MECHANISM_EXCLUDED" in case.flags:
        return _NO_BLOW
    if rule == "R14b" and case.outcome is Outcome.SENDER:
        return _INFERRED
    if rule == "R13c" and "R26" in case.fired:
        return _TOO_LATE
    return _HALVED if rule == "R22" and case.delay else _WHY[rule]
