"""The HZO ferroelectric transistor of NeuroSim's table, as its channel's conductance."""

from spicesnn.devices.neurosim import NeuroSimCurve
from spicesnn.devices.pulse_map import Pulse

# The read voltage is ours: a quarter of the smaller pulse.
JERRY2017 = NeuroSimCurve(
    name="Jerry2017",
    citation=(
        "M. Jerry et al., IEDM 2017, 6.2, as tabulated by NeuroSim MLP V3.0 (manual, table of "
        "devices)"
    ),
    claim=(
        "end points, curvatures and cycle-to-cycle spread as NeuroSim's authors fitted them to "
        "the published staircase; for pulses of rising height, their mean given; the table "
        "gives the spread as under 0.5 %: its bound is taken; not claimed: drift, retention, "
        "read noise, device spread"
    ),
    g_min=1 / (559.28e3 * 45),
    g_max=1 / 559.28e3,
    levels=32,
    nonlinearity_set=1.75,
    nonlinearity_reset=1.46,
    cycle_spread=0.005,
    read_voltage=0.7375,
    set_pulse=Pulse(voltage=3.65, width=75e-9),
    reset_pulse=Pulse(voltage=-2.95, width=75e-9),
)
PRESETS = (JERRY2017,)
