"""The example device of the Stanford-PKU package."""

from spicesnn.devices.stanford_pku import StanfordPku

JIANG2014 = StanfordPku(
    name="Jiang2014",
    citation="Z. Jiang and H.-S. P. Wong, Stanford University Resistive-Switching Random Access "
    "Memory (RRAM) Verilog-A Model 1.0.0, nanoHUB (2014), doi 10.4231/D37H1DN48; the model is "
    "described by Z. Jiang et al., IEEE Trans. Electron Devices 63(5), 1884-1892 (2016), doi "
    "10.1109/TED.2016.2545412",
    claim="the default values of the package's model for HfOx, without its noise; the currents of "
    "the on state under a voltage source without a limit are not claimed, nor anything beyond the "
    "2 V of the package's ramps",
    i_0=1e-3,
    g_0=0.25e-9,
    v_0=0.25,
    vel_0=10.0,
    gamma_0=16.0,
    beta=0.8,
    e_a=0.6,
    a_0=0.25e-9,
    t_ox=12e-9,
    f_min=1.4e9,
    r_th=2.1e3,
    t_ini=298.0,
    gap_min=0.2e-9,
    gap_max=1.7e-9,
    gap_0=1.7e-9,
    v_max=2.0,  # the end of the package's own ramps
)
PRESETS = (JIANG2014,)
