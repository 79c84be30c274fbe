"""The epitaxial Ag:SiGe memory (EpiRAM) of NeuroSim's table."""

from spicesnn.devices.neurosim import NeuroSimCurve
from spicesnn.devices.pulse_map import Pulse

# The read voltage is ours: a quarter of the smaller pulse.
CHOI2018 = NeuroSimCurve(
    name="Choi2018",
    citation=(
        "S. Choi et al., Nature Mater. 17, 335 (2018), as tabulated by NeuroSim MLP V3.0 "
        "(manual, table of devices)"
    ),
    claim=(
        "end points, curvatures and cycle-to-cycle spread as NeuroSim's authors fitted them to "
        "the published staircase; not claimed: drift, retention, read noise, device spread"
    ),
    g_min=1 / (81e3 * 50.2),
    g_max=1 / 81e3,
    levels=64,
    nonlinearity_set=0.5,
    nonlinearity_reset=-0.5,
    cycle_spread=0.02,
    read_voltage=0.75,
    set_pulse=Pulse(voltage=5.0, width=5e-6),
    reset_pulse=Pulse(voltage=-3.0, width=5e-6),
)
PRESETS = (CHOI2018,)
