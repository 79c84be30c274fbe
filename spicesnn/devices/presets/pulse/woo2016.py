"""The AlOx/HfO2 bilayer memory of NeuroSim's table."""

from spicesnn.devices.neurosim import NeuroSimCurve
from spicesnn.devices.pulse_map import Pulse

# The read voltage is ours: a quarter of the smaller pulse.
WOO2016 = NeuroSimCurve(
    name="Woo2016",
    citation=(
        "J. Woo et al., IEEE Electron Device Lett. 37, 994 (2016), as tabulated by NeuroSim MLP"
        " V3.0 (manual, table of devices)"
    ),
    claim=(
        "end points, curvatures and cycle-to-cycle spread as NeuroSim's authors fitted them to "
        "the published staircase; not claimed: drift, retention, read noise, device spread"
    ),
    g_min=1 / (16.9e3 * 4.43),
    g_max=1 / 16.9e3,
    levels=40,
    nonlinearity_set=1.94,
    nonlinearity_reset=-0.61,
    cycle_spread=0.05,
    read_voltage=0.225,
    set_pulse=Pulse(voltage=0.9, width=100e-6),
    reset_pulse=Pulse(voltage=-1.0, width=100e-6),
)
PRESETS = (WOO2016,)
