"""The default numbers of VTEAM in MemTorch."""

from spicesnn.devices.vteam import Vteam

LAMMIE2022 = Vteam(
    name="Lammie2022",
    citation="C. Lammie, W. Xiang, B. Linares-Barranco and M. Rahimi Azghadi, MemTorch, "
    "Neurocomputing 485, 124-133 (2022), default values of its public code; the model is that of "
    "S. Kvatinsky et al., IEEE Trans. Circuits Syst. II 62(8), 786-790 (2015), doi "
    "10.1109/TCSII.2015.2433536",
    claim="default values of a simulator, with which its authors draw hysteresis loops; which "
    "device they were fitted to is not said, and a fit is not claimed",
    r_on=50.0,
    r_off=1e3,
    d=3e-9,
    k_on=-10.0,
    k_off=5e-4,
    alpha_on=3.0,
    alpha_off=1.0,
    v_on=-0.2,
    v_off=0.02,
    w_0=0.0,
)
PRESETS = (LAMMIE2022,)
