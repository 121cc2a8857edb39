"""Step 11: items inside closed units. R9 sealed unit; its parts (a) to (h) go here."""

from services.custody.core.rules.rule import Rule

R9 = Rule(
    id="R9",
    name="sealed unit",
    en=(
        "Inside a closed unit the item cannot be seen. For shortage and loss, the time under an unbroken, "
        "recorded seal is taken out of the bracket, and a broken or wrong seal narrows it to the window of "
        "the breach."
    ),
    zh=(
        "封闭总包内的快件不可见。就短少和丢失，封志有记录且完好的期间从责任区间中剔除；封志缺失、"
        "毁损或不符的，责任区间缩至封志失效的期间。"
    ),
    source="45 Stat. 2479 ¶18; GS1 CBV completeness_inferred",
    implemented=False,
)
RULES = (R9,)
