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
    """Per harm: it is gone."""
    harm_is_shortage: float = 0.15
    """Per harm: part of its contents is taken out. What is left over: its carton is damaged, seen from then on."""
    harm_is_concealed: float = 0.1
    """Per harm: it breaks inside a sound carton."""
    harm_by_sender: float = 0.04
    """Per damage or breakage: it was there before the first carrier had the parcel."""
    harm_by_recipient: float = 0.06
    """Per damage or breakage: it happened after the recipient had taken the parcel."""
    theft_shows: float = 0.6
    """Per shortage: the carton shows from outside that it was opened."""

    release_recorded: float = 0.92
    """Per handoff: the giver records its side."""
    accept_recorded: float = 0.95
    """Per handoff: the taker records its side."""
    typed_in: float = 0.02
    """Per acceptance: it is typed in afterwards instead of scanned."""
    in_a_cage: float = 0.25
    """Per parcel between two cities: it rides the linehaul in a closed bag, cage or trailer, or one in another."""
    seal_number_recorded: float = 0.92
    """Per seal: its number is written down when it is put on."""
    seal_checked: float = 0.8
    """Per acceptance or opening of a sealed unit: the seal is read and compared."""
    looked_at_opening: float = 0.6
    """Per parcel taken out of a closed unit: whoever opened the unit looks at the carton."""
    opened_by_customs: float = 0.06
    """Per linehaul in closed units: an authority has them opened on the way, and they are sealed anew."""
    sender_hands_over_checked: float = 0.88
    """Per parcel: the courier looks at the carton at pick-up."""
    contents_checked: float = 0.8
    """Per pick-up with a look: inside, too."""
    looked_at_hub: float = 0.4
    looked_at_linehaul: float = 0.15
    looked_at_station: float = 0.35
    looked_at_door: float = 0.75
    """Per acceptance: the taker looks at the carton."""
    pictured: float = 0.75
    """Per look by a person: it takes a photo."""
    weighed_at_pick_up: float = 0.85
    weighed_by_sorter: float = 0.4
    """Per machine reading: a scale weighs the parcel, too."""
    weighed_at_opening: float = 0.3
    """Per look at a parcel taken out of a closed unit."""
    notices: float = 0.0
    """Per acceptance without a look at the carton, of a carton that shows harm: the taker notices and notes it."""
    giver_looks: float = 0.12
    """Per release: the giver looks at the carton and writes down what it sees."""
    damage_noticed: float = 0.95
    """Per look at a damaged carton: the looker sees it."""
    own_damage_admitted: float = 0.5
    """Per look by a giver at a damaged carton: it writes down what it sees."""
    defect_reserved: float = 0.2
    """Per damage seen by a carrier on taking over: it is noted as a reservation instead of a finding of its own."""
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
    attempt_fails: float = 0.06
    """Per last leg: nobody is there the first time."""
    refused: float = 0.15
    """Per damage seen at the door: the recipient does not take the parcel."""
    recipient_signs: float = 0.9
    """Per delivery: the recipient confirms with a PIN."""
    notice_after_delivery: float = 0.7
    """Per harm that nobody noted at the door: the recipient complains later that day."""
    unboxing_filmed: float = 0.6
    """Per complaint about what was inside, where it was so before the box was opened: with a video of the opening."""
    packaging_kept: float = 0.7
    """Per complaint: with photos and the packaging kept."""
    shortage_noted: float = 0.85
    """Per loss: the next party, which expected the parcel, writes down that it is not there."""
    stock_checked: float = 0.6
    """Per parcel that the recipient did not get: the courier looks for it, too, and writes down that it is gone."""

    repeated_upload: float = 0.015
    """Per event: it is sent twice."""
    upload_lost: float = 0.002
    """Per event: it never arrives, and leaves a hole in its device's sequence."""
    device_offline: float = 0.15
    """Per device: it is offline for some hours and uploads afterwards."""
    device_unsigned: float = 0.12
    """Per handheld: it is an old one that holds no key."""
    device_clock_wrong: float = 0.08
    """Per device: its clock is minutes off; the others are seconds off. Uploads measure by how much."""


WATCHFUL = Habits(
    harmed=0.35,
    damage_noticed=1.0,
    notices=0.75,
    release_recorded=1.0,
    accept_recorded=1.0,
    recipient_signs=1.0,
    device_clock_wrong=0.0,
    upload_lost=0.0,
)
"""A network in which everybody who looks sees what there is to see, and every act is recorded: what goes wrong there is
the noise's alone. People look no more often in it than in the other, but three in four takers who do not examine a
parcel note harm that shows. How many do is the worth of silence, on which the clean receipt rests (R5)."""
