"""The volatile switch of the memristive integrate-and-fire neuron."""

from spicesnn.devices.metastable_switch import MetastableSwitch

ZHOU2022 = MetastableSwitch(
    name="Zhou2022",
    citation="P. Zhou, J. K. Eshraghian, D.-U. Choi, W. D. Lu and S.-M. Kang, arXiv 2206.12992 and "
    "2203.01426 (2022); values of the authors' public code jeshraghian/mem-IF",
    claim="the constants of the simulated neuron, of the set with 1 and 100 kilohms; not fitted to "
    "a measured device",
    r_on=1e3,
    r_off=100e3,
    v_on=110e-3,
    v_off=5e-3,
    v_width=15e-3,
    tau=1e-3,
    x_0=0.0238,
)
PRESETS = (ZHOU2022,)
