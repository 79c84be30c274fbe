"""The generalised metastable switch's example values."""

from spicesnn.devices.metastable_switch import MetastableSwitch

# Thermal voltage at 298.5 K, as the model's source takes it.
_V_T = 1.380649e-23 * 298.5 / 1.602176634e-19

NUGENT2014 = MetastableSwitch(
    name="Nugent2014",
    citation="M. A. Nugent and T. W. Molter, PLoS ONE 9(2), e85175 (2014); example values of the "
    "Knowm model in Xyce (memristor, level 5), with its Schottky term",
    claim="the example values of the model's implementation; not fitted to one device, the "
    "Schottky term taken as symmetric",
    r_on=500.0,
    r_off=1500.0,
    v_on=0.27,
    v_off=-0.27,
    v_width=_V_T,
    tau=1e-4,
    x_0=0.1,
    phi=0.8,
    a_f=0.0008,
    b_f=4.0,
    a_r=0.0008,
    b_r=4.0,
)
PRESETS = (NUGENT2014,)
