"""How careful the network is: every chance that the simulated day draws on, in one list.

These are made up. They are no carrier's figures, and a result of the simulation says nothing of any real network.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Habits:
    """Chances from 0 to 1, each per parcel, per handoff or per device, as its line says."""

    harmed: float = 0.06
    """Per parcel: something happens to it."""
    harm_is_loss: float = 0.2
    """Per harm: it is gone; otherwise its carton is damaged, which can be seen from then on."""
    harm_by_sender: float = 0.04
    """Per damage: it was damaged before the first carrier had it."""
    harm_by_recipient: float = 0.06
    """Per damage: it happened after the recipient had taken it."""

    release_recorded: float = 0.92
    """Per handoff: the giver records its side."""
    accept_recorded: float = 0.95
    """Per handoff: the taker records its side."""
    typed_in: float = 0.02
    """Per acceptance: it is typed in afterwards instead of scanned."""
    in_a_cage: float = 0.25
    """Per parcel: it rides the linehaul inside a closed cage, where the driver cannot see it."""
    sender_hands_over_checked: float = 0.88
    """Per parcel: the courier looks at the carton at pick-up."""
    contents_checked: float = 0.8
    """Per pick-up with a look: inside, too."""
    looked_at_hub: float = 0.4
    looked_at_linehaul: float = 0.15
    looked_at_station: float = 0.35
    looked_at_door: float = 0.75
    """Per acceptance: the taker looks at the carton."""
    giver_looks: float = 0.12
    """Per release: the giver looks at the carton and writes down what it sees."""
    damage_noticed: float = 0.95
    """Per look at a damaged carton: the looker sees it."""
    own_damage_admitted: float = 0.5
    """Per look by a giver at a damaged carton: it writes down what it sees."""
    countersigned: float = 0.5
    """Per damage noted at a handoff: the giver signs to it."""
    hindered: float = 0.03
    """Per acceptance without a look: the taker notes why it could not look."""
    blank_reservation: float = 0.02
    """Per acceptance without a look: the taker writes `subject to inspection`."""
    sorted_by_machine: float = 0.9
    """Per stay at a hub: the sorter reads the label."""
    camera_on_sorter: float = 0.35
    """Per machine reading: a camera judges the carton, too."""
    loaded: float = 0.85
    """Per last leg: the parcel is scanned onto the van."""
    recipient_signs: float = 0.9
    """Per delivery: the recipient confirms with a PIN."""
    notice_after_delivery: float = 0.7
    """Per damage that the recipient did not note at the door: it complains later that day."""
    packaging_kept: float = 0.7
    """Per complaint: with photos and the packaging kept."""
    shortage_noted: float = 0.85
    """Per loss: the next party, which expected the parcel, writes down that it is not there."""

    repeated_upload: float = 0.015
    """Per event: it is sent twice."""
    upload_lost: float = 0.002
    """Per event: it never arrives, and leaves a hole in its device's sequence."""
    device_offline: float = 0.15
    """Per device: it is offline for some hours and uploads afterwards."""
    device_unsigned: float = 0.12
    """Per handheld: it is an old one that holds no key."""
    device_clock_wrong: float = 0.08
    """Per device: its clock is minutes off; the others are seconds off."""
