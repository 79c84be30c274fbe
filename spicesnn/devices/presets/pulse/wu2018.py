"""The TaOx/HfOx memory of NeuroSim's table."""

from spicesnn.devices.neurosim import NeuroSimCurve
from spicesnn.devices.pulse_map import Pulse

# The read voltage is ours: a quarter of the smaller pulse.
WU2018 = NeuroSimCurve(
    name="Wu2018",
    citation=(
        "W. Wu et al., 2018 IEEE Symposium on VLSI Technology, as tabulated by NeuroSim MLP "
        "V3.0 (manual, table of devices)"
    ),
    claim=(
        "end points, curvatures and cycle-to-cycle spread as NeuroSim's authors fitted them to "
        "the published staircase; RESET amplitude without a sign, as in the table; not claimed:"
        " drift, retention, read noise, device spread"
    ),
    g_min=1 / (100e3 * 10),
    g_max=1 / 100e3,
    levels=128,
    nonlinearity_set=0.04,
    nonlinearity_reset=-0.63,
    cycle_spread=0.037,
    read_voltage=0.4,
    set_pulse=Pulse(voltage=1.6, width=50e-9),
    reset_pulse=Pulse(voltage=1.6, width=50e-9),
)
PRESETS = (WU2018,)
