"""The PCMO memory of NeuroSim's table."""

from spicesnn.devices.neurosim import NeuroSimCurve
from spicesnn.devices.pulse_map import Pulse

# The read voltage is ours: a quarter of the smaller pulse.
PARK2013 = NeuroSimCurve(
    name="Park2013",
    citation=(
        "S. Park et al., IEDM 2013, 25.6, as tabulated by NeuroSim MLP V3.0 (manual, table of "
        "devices)"
    ),
    claim=(
        "end points, curvatures and cycle-to-cycle spread as NeuroSim's authors fitted them to "
        "the published staircase; the table gives the spread as under 1 %: its bound is taken; "
        "not claimed: drift, retention, read noise, device spread"
    ),
    g_min=1 / (23e6 * 6.84),
    g_max=1 / 23e6,
    levels=50,
    nonlinearity_set=3.68,
    nonlinearity_reset=-6.76,
    cycle_spread=0.01,
    read_voltage=0.5,
    set_pulse=Pulse(voltage=-2.0, width=1e-3),
    reset_pulse=Pulse(voltage=2.0, width=1e-3),
)
PRESETS = (PARK2013,)
