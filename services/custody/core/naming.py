"""Names of the rules in both languages, as a letter cites them: `R5 clean receipt`, `R5 无保留接收推定`."""

import re

from services.custody.core.wording import Text, tidy

NAMES: dict[str, Text] = {
    "R0": Text("finding", "异常的成立"),
    "R1": Text("custody", "保管责任的转移"),
    "R2": Text("facets", "查验方面"),
    "R3": Text("first seen bad", "首次发现异常"),
    "R4": Text("last seen intact", "最后一次完好记录"),
    "R5": Text("clean receipt", "无保留接收推定"),
    "R6": Text("reservation", "接收保留"),
    "R7": Text("boundary conflict", "交接争议"),
    "R7a": Text("harm noted by the taker", "接收方注明异常"),
    "R7b": Text("giver and taker disagree", "交接双方记录矛盾"),
    "R7c": Text("harm confirmed by the giver", "移交方确认异常"),
    "R8": Text("fuzzy zone", "交接时刻不明"),
    "R9": Text("sealed unit", "封闭总包"),
    "R9a": Text("time under a good seal", "封志完好期间"),
    "R9b": Text("broken seal", "封志失效"),
    "R9c": Text("a seal keeps nobody out of a damage", "封志不排除损坏"),
    "R9d": Text("look at opening", "开启时查验"),
    "R9e": Text("no seal number", "封志号码未记录"),
    "R9f": Text("opening by authority", "依机关要求开启"),
    "R9g": Text("residual", "排除后的余留"),
    "R9h": Text("unpacking not recorded", "取出未记录"),
    "R10": Text("loss", "丢失"),
    "R11": Text("sensor", "传感器记录"),
    "R12": Text("weight", "重量"),
    "R13": Text("delivery", "交付"),
    "R13a": Text("receipt by the final taker", "收件方无批注签收"),
    "R13b": Text("hidden harm shown in time", "隐蔽损失及时举证"),
    "R13c": Text("shown too late", "逾期举证"),
    "R13d": Text("harm on record before delivery", "交付前已有异常记录"),
    "R13e": Text("drop without consent", "未经同意的投放"),
    "R14": Text("sender", "寄件人一侧"),
    "R14a": Text("there before pick-up", "交寄前已存在"),
    "R14b": Text("bad packing", "包装缺陷"),
    "R15": Text("repacking", "重新包装"),
    "R16": Text("origin unproved", "交寄时状态未证明"),
    "R17": Text("physical facts do not heal", "损坏不会自愈"),
    "R18": Text("time and interest", "记录时间与利害关系"),
    "R19": Text("several findings", "多项异常"),
    "R20": Text("unlocalised", "区段无法确定"),
    "R21": Text("confidence", "可信度"),
    "R22": Text("delay", "延误"),
    "R23": Text("control record", "交接记录情况"),
    "R24": Text("return", "退回"),
    "R25": Text("attempt and refusal", "投递未成与拒收"),
    "R26": Text("drop with consent", "经同意的投放"),
    "R27": Text("pieces", "一票多件"),
    "R28": Text("relabel", "换单"),
    "R29": Text("swapped labels", "面单互换"),
    "R30": Text("authority", "机关占有"),
    "R31": Text("found", "找回"),
    "R32": Text("overage", "多件"),
    "R33": Text("redirect", "改址"),
    "R34": Text("proxy", "代收"),
    "R35": Text("several blows", "多次损坏"),
    "R36": Text("clocks", "时钟"),
}
"""By id, parts apart. The names of whole rules are those that /v1/rules lists."""

_CITED = re.compile(r" ?\[(R\d+[a-h]?)\]")


def text(en: str, zh: str) -> Text:
    """A sentence, with every rule that it cites as `[R5]` told by id and name. Made once, when the module is read."""
    return Text(
        _CITED.sub(lambda cited: f" ({cited[1]} {NAMES[cited[1]].en})", en),
        tidy(_CITED.sub(lambda cited: f"（{cited[1]} {NAMES[cited[1]].zh}）", zh)),
    )


def rule_named(rule_id: str) -> Text:
    """A rule by id and name, to stand in a sentence."""
    name = NAMES.get(rule_id) or NAMES.get(rule_id.rstrip("abcdefgh"))
    return Text(rule_id, rule_id) if name is None else Text(f"{rule_id} {name.en}", f"{rule_id} {name.zh}")
