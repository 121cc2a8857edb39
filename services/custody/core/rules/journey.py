"""Step 3b: what else happens on the way. R24 return, R27 pieces, R28 relabel, R32 overage, R33 redirect, R34 proxy."""

from services.custody.core.rules.rule import POLICY, Rule

R24 = Rule(
    id="R24",
    name="return",
    en="A refusal or return order ends nothing: the way back adds segments, and the sender is then the final taker.",
    zh="拒收或退回不终止责任链：退回途中的各段依次续接，寄件人为最终接收方。",
    source=POLICY,
    implemented=False,
)
R27 = Rule(
    id="R27",
    name="pieces",
    en="A piece is an item with a verdict of its own; an event that names other pieces says nothing of it.",
    zh="一票多件的，每件单独认定；仅提及其他件的记录对该件不生效力。",
    source=POLICY,
    implemented=False,
)
R28 = Rule(
    id="R28",
    name="relabel",
    en=(
        "A new label joins both numbers if both were seen together; otherwise identity is unproved and its "
        "maker has taken it over."
    ),
    zh="换单时新旧单号同时可见的，两段记录合并；否则身份未证，换单方视为默示接管。",
    source=POLICY,
    implemented=False,
)
R32 = Rule(
    id="R32",
    name="overage",
    en=(
        "A parcel found on nobody's list was taken over by implication from its last holder; being over clears no one."
    ),
    zh="多出的快件视为自最后保管方默示接管；清单未列不免除任何一方。",
    source=POLICY,
    implemented=False,
)
R33 = Rule(
    id="R33",
    name="redirect",
    en="A redirection replaces route and promise from when it was recorded, and moves no custody.",
    zh="改址自记录之时起取代原路线和时限，但不转移保管责任。",
    source=POLICY,
    implemented=False,
)
R34 = Rule(
    id="R34",
    name="proxy",
    en=(
        "A person named or agreed to by the recipient accepts for the recipient; anybody else's signature is "
        "a drop without consent."
    ),
    zh="收件人指定或同意的代收人视同收件人签收；其他人签收视为未经同意的投放。",
    source="快递市场管理办法 28",
    implemented=False,
)
RULES = (R24, R27, R28, R32, R33, R34)
