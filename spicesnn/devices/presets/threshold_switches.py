"""Volatile switches of two classes. The numbers are our choice: no device was fitted."""

from spicesnn.devices.hysteretic_switch import HystereticSwitch

NBO2_CLASS = HystereticSwitch(
    name="NbO2Class",
    citation="our choice, within ranges recalled for NbO2 and not checked against a paper: "
    "threshold about 1 V, hold 0.5 to 0.8 V",
    claim="an NbO2-like threshold switch; resistances and times are our choice; no measured device "
    "was fitted and none is claimed",
    r_on=1e3,
    r_off=100e3,
    v_threshold=1.0,
    v_hold=0.65,
    tau_on=10e-9,
    tau_off=10e-9,
)
AG_CLASS = HystereticSwitch(
    name="AgClass",
    citation="our choice, within ranges recalled for Ag:SiO2 and not checked against a paper: "
    "threshold 0.2 to 0.5 V, relaxation in microseconds to milliseconds",
    claim="a diffusive, silver-like threshold switch; hold voltage, resistances and switching time "
    "are our choice; no measured device was fitted and none is claimed",
    r_on=10e3,
    r_off=100e6,
    v_threshold=0.3,
    v_hold=0.1,
    tau_on=1e-6,
    tau_off=100e-6,
)
PRESETS = (NBO2_CLASS, AG_CLASS)
