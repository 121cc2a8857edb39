"""What brought a change on, in words: which record came in, by whom, when; or that time alone went by."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import NamedTuple

from schemas.events import (
    ConditionObserved,
    DeadlinePassed,
    DeviceEnrolled,
    DeviceRevoked,
    Event,
    EventCorrected,
    HandoffReleased,
    NoticeGiven,
    PartyRegistered,
    PolicySet,
    Scan,
)
from schemas.vocabulary import CaptureMode, PartyRole, RevocationReason
from services.custody.core import concerns
from services.custody.core.case import Ground
from services.custody.core.facts import Fact, Packing, Parked, Rival
from services.custody.core.instants import in_zone
from services.custody.core.wording import Text, date, party


class Cause(NamedTuple):
    """A record that came in, when, and what was known and concluded with it."""

    record: Fact | Packing | Rival | Parked | None
    """None: time alone."""
    record_time: datetime
    ground: Ground


def by_a_registry(cause: Cause) -> bool:
    """Whether it was a record about a device, a party or the settings, which bears on what had come in before it."""
    return isinstance(cause.record, Fact) and cause.record.data.TYPE.startswith("registry.")


def what_happened(cause: Cause) -> Iterator[Text]:
    """The record in words."""
    match cause.record:
        case None:
            yield Text(
                "No record brought this about: time alone did, by {now} at the latest.",
                "并无新的记录，仅因时间经过（至迟于{now}）。",
            ).fill(now=date(cause.record_time))
        case Rival():
            yield Text(
                "On {recorded} another content came in under an id that is taken; the first recorded counts.",
                "{recorded}收到同一编号下的另一内容；以先收到者为准。",
            ).fill(recorded=date(cause.record_time))
        case Parked():
            yield Text(
                "On {recorded} a record came in that this version cannot read.", "{recorded}收到本版本无法读取的记录。"
            ).fill(recorded=date(cause.record_time))
        case Packing(packed=packed):
            text = (
                Text(
                    "On {recorded} it was recorded that another item went into the same unit.",
                    "{recorded}收到另一件装入同一集装单元的记录。",
                )
                if packed
                else Text(
                    "On {recorded} it was recorded that another item came out of the same unit.",
                    "{recorded}收到另一件自同一集装单元取出的记录。",
                )
            )
            yield text.fill(recorded=date(cause.record_time))
        case Fact() as fact:
            yield _came_in(fact, cause)


def _came_in(fact: Fact, cause: Cause) -> Text:
    recorded = date(in_zone(cause.record_time, fact.t.tzinfo or UTC))
    data = fact.data
    match data:
        case EventCorrected():
            return _taken_back(fact, data, cause).fill(recorded=recorded)
        case DeadlinePassed():
            text = _DEADLINES.get(data.deadline, _SOME_DEADLINE)
            return text.fill(due=date(in_zone(data.due, fact.t.tzinfo or UTC)))
        case DeviceRevoked():
            return _revoked(data, fact, cause).fill(recorded=recorded)
        case DeviceEnrolled():
            return Text(
                "On {recorded} device {device} was enrolled for {who}, with effect from {since}.",
                "{recorded}登记设备：{who}的设备{device}，自{since}起有效。",
            ).fill(recorded=recorded, device=_code(data.device), who=party(data.party), since=date(fact.event_time))
        case PartyRegistered():
            entity = data.entity or data.party
            return Text(
                "On {recorded} {who} was registered as {role}, of the legal entity {entity}.",
                "{recorded}登记：{who}为{role}，所属法人为{entity}。",
            ).fill(recorded=recorded, who=party(data.party), role=_ROLES[data.role], entity=party(entity))
        case PolicySet():
            return Text("On {recorded} the settings were changed.", "{recorded}变更了认定设置。").fill(
                recorded=recorded
            )
    return _act(fact, cause).fill(recorded=recorded)


# --- what somebody did -----------------------------------------------------------------------------------------------


def _act(fact: Fact, cause: Cause) -> Text:
    """The record of an act: signed or not, and late where it is."""
    t, remarks = fact.t, []
    if isinstance(fact.data, Scan):
        remarks.append(_SIGNED if _is_signed(fact, cause.ground) else _UNSIGNED)
    if any(other.position == fact.position for other in cause.ground.evidence.unit_facts):
        remarks.append(Text("about the unit that it was in", "系所在集装单元的记录"))
    late = fact.record_time - t > cause.ground.policy.late_after
    if late:
        remarks.append(Text("dated {dated}", "所载时间{dated}").fill(dated=date(t)))
    said = Text(
        "".join(f", {remark.en}" for remark in remarks) + ("," if remarks else ""),
        f"（{'，'.join(remark.zh for remark in remarks)}）" if remarks else "",
    )
    text = (
        Text("{what}{said} was recorded late, on {{recorded}}.", "{{recorded}}收到迟到的{what}{said}。")
        if late
        else Text("{what}{said} was recorded on {{recorded}}.", "{{recorded}}收到{what}{said}。")
    )
    return text.fill(what=noun(fact), said=said)


_SIGNED = Text("signed", "已签名")
_UNSIGNED = Text("unsigned", "未签名")


def _is_signed(fact: Fact, ground: Ground) -> bool:
    return any(act.fact.position == fact.position and act.standing.signed for act in ground.scene.acts)


def noun(fact: Fact) -> Text:
    """What sort of record it is and whose: an inspection by H1."""
    data = fact.data
    who = concerns.acting_party(data)
    if isinstance(data, HandoffReleased) and data.taker is not None:
        text = Text("a release by {who} to {to}", "{who}交给{to}的交出记录")
        return text.fill(who=party(data.giver), to=party(data.taker))
    if isinstance(data, NoticeGiven) and data.to is not None:
        text = Text("a notice by {who} to {to}", "{who}致{to}的通知")
        return text.fill(who=party(data.party), to=party(data.to))
    if who is None:
        return _NOBODYS.get(_type(data), _SOME_RECORD)
    return _noun(data).fill(who=party(who))


def _noun(data: Event) -> Text:
    if isinstance(data, ConditionObserved) and data.neutral:
        return Text("a survey by {who}", "{who}的查勘记录")
    if isinstance(data, ConditionObserved) and data.mode is CaptureMode.AUTO_SCAN:
        return Text("a measurement by {who}", "{who}的测量记录")
    return _NOUNS.get(_type(data), Text("a record by {who}", "{who}的记录"))


def _type(data: Event) -> str:
    return data.TYPE.rpartition(".")[0]


_SOME_RECORD = Text("a record", "一条记录")
_NOBODYS = {"custody.parcel_announced": Text("an announcement", "运单信息")}
_NOUNS = {
    "claims.claim_paid": Text("a payment by {who}", "{who}的赔付记录"),
    "custody.condition_observed": Text("an inspection by {who}", "{who}的查验记录"),
    "custody.delivery_attempted": Text("a delivery attempt by {who}", "{who}的投递未成记录"),
    "custody.delivery_refused": Text("a refusal by {who}", "{who}的拒收记录"),
    "custody.handoff_accepted": Text("an acceptance by {who}", "{who}的接收记录"),
    "custody.handoff_released": Text("a release by {who}", "{who}的交出记录"),
    "custody.hold_placed": Text("a hold placed by {who}", "{who}的暂扣记录"),
    "custody.item_scanned": Text("a scan by {who}", "{who}的扫描记录"),
    "custody.notice_given": Text("a notice by {who}", "{who}的通知"),
    "custody.parcel_announced": Text("an announcement by {who}", "{who}的运单信息"),
    "custody.parcel_dropped": Text("a drop by {who}", "{who}的投放记录"),
    "custody.parcel_relabelled": Text("a relabelling by {who}", "{who}的换单记录"),
    "custody.redirected": Text("a redirection by {who}", "{who}的改址指令"),
    "custody.repacked": Text("a repacking by {who}", "{who}的重新包装记录"),
    "custody.return_ordered": Text("a return order by {who}", "{who}的退回指令"),
    "custody.seal_applied": Text("a sealing by {who}", "{who}的施封记录"),
    "custody.seal_checked": Text("a seal check by {who}", "{who}的封志查验记录"),
    "custody.unit_opened": Text("an opening by {who}", "{who}的开启记录"),
    "custody.unit_packed": Text("a packing by {who}", "{who}的装入记录"),
    "custody.unit_unpacked": Text("an unpacking by {who}", "{who}的取出记录"),
    "registry.site_registered": Text("a registration of a site of {who}", "{who}的场地登记"),
}


def _taken_back(fact: Fact, data: EventCorrected, cause: Cause) -> Text:
    """A correction, with what it takes back where that is on record."""
    facts = (*cause.ground.evidence.facts, *cause.ground.evidence.unit_facts)
    target = next((other for other in facts if other.id == data.corrects), None)
    if target is None:
        return Text(
            "By a correction recorded on {{recorded}}, {who} took back an earlier record.",
            "{{recorded}}收到更正：{who}撤回一条先前的记录。",
        ).fill(who=party(data.party))
    return Text(
        "By a correction recorded on {{recorded}}, {who} took back {what} of {dated}.",
        "{{recorded}}收到更正：{who}撤回{what}（{dated}）。",
    ).fill(who=party(data.party), what=noun(target), dated=date(target.t))


# --- what was registered ---------------------------------------------------------------------------------------------


def _revoked(data: DeviceRevoked, fact: Fact, cause: Cause) -> Text:
    """The end of a device or key, and what it does to records that are there already."""
    which = Text("device {device}", "设备{device}") if data.keyid is None else _ONE_KEY
    which = which.fill(device=_code(data.device), key=_code(data.keyid or ""))
    owner = _owner(data.device, cause.ground)
    if owner is not None:
        which = Text("{which} of {who}", "{who}的{which}").fill(which=which, who=party(owner))
    if data.reason is RevocationReason.RETIRED:
        text = Text(
            "On {{recorded}} {which} was retired as of {cut_off}: what it dates after that no longer counts, however "
            "early it was recorded.",
            "{{recorded}}登记：{which}自{cut_off}起停用；所载时间在此之后的记录不再有效，无论何时收到。",
        )
        return text.fill(which=which, cut_off=date(data.cut_off or fact.record_time))
    if data.keyid is None:
        which = Text("{which}", "{which}的密钥").fill(which=which)
    return Text(
        "On {{recorded}} {which} was reported compromised: what was recorded from it after that counts as unsigned.",
        "{{recorded}}登记：{which}泄露；此后收到的该设备记录视为未签名。",
    ).fill(which=which)


_ONE_KEY = Text("key {key} of device {device}", "设备{device}的密钥{key}")


def _owner(device: str, ground: Ground) -> str | None:
    """Whose device it is, by its latest enrolment."""
    enrolled = [
        fact
        for fact in ground.evidence.registry
        if isinstance(fact.data, DeviceEnrolled) and fact.data.device.upper() == device.upper()
    ]
    last = max(enrolled, key=lambda fact: fact.order, default=None)
    return last.data.party if last is not None and isinstance(last.data, DeviceEnrolled) else None


def _code(code: str) -> Text:
    return Text(code, code)


_ROLES = {
    PartyRole.CARRIER: Text("a carrier", "承运方"),
    PartyRole.LOCKER: Text("a locker operator", "快递柜运营方"),
    PartyRole.SURVEYOR: Text("a surveyor", "查勘方"),
    PartyRole.AUTHORITY: Text("an authority", "机关"),
    PartyRole.SENDER: Text("a sender", "寄件人"),
    PartyRole.RECIPIENT: Text("a recipient", "收件人"),
}

_DEADLINES = {
    "promised_time": Text("The time it was promised for ran out on {due}.", "承诺的送达时限于{due}届满。"),
    "deemed_lost": Text("The time after which it counts as lost ran out on {due}.", "视为丢失的期限于{due}届满。"),
}
_SOME_DEADLINE = Text("A time that was waited for ran out on {due}.", "等待的期限于{due}届满。")
