"""The GST phase-change memory of NeuroSim's table, as a curve without drift."""

from spicesnn.devices.neurosim import NeuroSimCurve
from spicesnn.devices.pulse_map import Pulse

# The read voltage is ours: a quarter of the smaller pulse.
KUZUM2012 = NeuroSimCurve(
    name="Kuzum2012",
    citation=(
        "D. Kuzum et al., Nano Lett. 12, 2179 (2012), as tabulated by NeuroSim MLP V3.0 "
        "(manual, table of devices); that the table means this paper is our reading of its "
        "material"
    ),
    claim=(
        "end points, curvatures and cycle-to-cycle spread as NeuroSim's authors fitted them to "
        "the published staircase; 100 levels, the lower end of the table's 100 to 120; pulses "
        "of varying height, their mean given; not claimed: drift, history, read noise, device "
        "spread (see Nandakumar2018 for those)"
    ),
    g_min=1 / (4.71e3 * 19.8),
    g_max=1 / 4.71e3,
    levels=100,
    nonlinearity_set=0.105,
    nonlinearity_reset=2.4,
    cycle_spread=0.015,
    read_voltage=0.175,
    set_pulse=Pulse(voltage=0.7, width=6e-6),
    reset_pulse=Pulse(voltage=3.0, width=125e-9),
)
PRESETS = (KUZUM2012,)
