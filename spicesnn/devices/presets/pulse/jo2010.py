"""The Ag:a-Si memristor of NeuroSim's table."""

from spicesnn.devices.neurosim import NeuroSimCurve
from spicesnn.devices.pulse_map import Pulse

# The device spread is not in the table (the tool's own default is 0): ours. The read voltage is
# ours, well under the 3.2 V of the SET pulse.
JO2010 = NeuroSimCurve(
    name="Jo2010",
    citation=(
        "S. H. Jo et al., Nano Lett. 10, 1297 (2010), as tabulated by NeuroSim MLP V3.0 "
        "(manual, table of devices)"
    ),
    claim=(
        "end points, curvatures and cycle-to-cycle spread as NeuroSim's authors fitted them to "
        "the published staircase; not claimed: drift, retention, read noise, a spread between "
        "devices that was measured"
    ),
    g_min=1 / (26e6 * 12.5),
    g_max=1 / 26e6,
    levels=97,
    nonlinearity_set=2.4,
    nonlinearity_reset=-4.88,
    cycle_spread=0.035,
    device_spread=0.05,
    read_voltage=0.8,
    set_pulse=Pulse(voltage=3.2, width=300e-6),
    reset_pulse=Pulse(voltage=-2.8, width=300e-6),
)
PRESETS = (JO2010,)
