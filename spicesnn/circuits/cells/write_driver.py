"""Write driver: SET with a limited current, RESET the other way, else both ends at read bias."""

from __future__ import annotations

from typing import ClassVar

from PySpice.Spice.Netlist import Netlist

from spicesnn.circuits.cells.cell import Cell
from spicesnn.parameters import parameter
from spicesnn.processes import Process, Size


class WriteDriver(Cell):
    """The two ends of a resistive device, `top` and `bottom`, on thick oxide.

    ```
        vdd_write     vdd_write                            vdd_write
            |             |                                    |
       [p, on]      [p, set_bar] x ratio                 [p, reset_bar]
            |             |                                    |
      [p diode]--gate--[p] x ratio                             |
            |             +----- top --( device )-- bottom ----+
       compliance         |       |                    |       |
            |         [n, reset]  [n, idle]    [n, idle]   [n, set]
         i_bias           |          +--- read ---+            |
                         gnd                                  gnd

      idle = nor(set, reset)
    ```

    SET: the device has the write supply from `top` to `bottom` through the mirror, which gives
    `ratio` times the current drawn out of `compliance`, at most. RESET: the write supply from
    `bottom` to `top`, without a limit. Idle: both ends at `read`. `set`, `reset` and their
    complements are at the level of `vdd_write` (`LevelShifter`) and never high together.
    Law: the device of resistance R has `min(vdd_write, ratio i_bias R)` in SET, `vdd_write` in
    RESET. The mirror is switched at its source, with an equal transistor, always on, at its
    input: a mirror switched at its drain would give the charge of its drain to the device.
    Source: current compliance by a mirror and a bridge of switches are standard; wiring and sizes
    are our choice.
    """

    subcircuit_name: ClassVar[str] = "write_driver"
    ports: ClassVar[tuple[str, ...]] = (
        "set", "set_bar", "reset", "reset_bar", "top", "bottom", "compliance", "read", "vdd_write",
    )  # fmt: skip

    ratio: int = parameter(5, unit="1", doc="compliance over bias current", ge=1)
    mirror_width: float = parameter(6e-6, unit="m", doc="width of the mirror's input", gt=0)
    mirror_length: float = parameter(2e-6, unit="m", doc="length of the mirror", gt=0)
    cascode_width: float = parameter(12e-6, unit="m", doc="width of its cascode", gt=0)
    cascode_length: float = parameter(1e-6, unit="m", doc="length of its cascode", gt=0)
    switch_width: float = parameter(10e-6, unit="m", doc="width of n switches; p twice", gt=0)
    idle_width: float = parameter(1e-6, unit="m", doc="width of switches to `read`, gate", gt=0)

    def build(self, netlist: Netlist, process: Process) -> None:
        """Mirror, bridge, idle switches and their gate."""
        n, p = process.thick_pair()
        high, ratio = "vdd_write", self.ratio
        mirror: Size = {"width": self.mirror_width, "length": self.mirror_length}
        on: Size = {"width": 2 * self.switch_width / ratio, "length": p.switch_length}
        p(netlist, "on", "in_source", "0", high, high, **on)
        cascode: Size = {"width": self.cascode_width, "length": self.cascode_length}
        p(netlist, "in", "in_drain", "compliance", "in_source", high, **mirror)
        p(netlist, "in_c", "compliance", "compliance", "in_drain", high, **cascode)
        p(netlist, "set_on", "set_source", "set_bar", high, high, multiplier=ratio, **on)
        p(netlist, "limit", "drain", "compliance", "set_source", high, multiplier=ratio, **mirror)
        p(netlist, "limit_c", "top", "compliance", "drain", high, multiplier=ratio, **cascode)
        up: Size = {"width": 2 * self.switch_width, "length": p.switch_length}
        down: Size = {"width": self.switch_width, "length": n.switch_length}
        n(netlist, "set_low", "bottom", "set", "0", "0", **down)
        p(netlist, "reset_high", "bottom", "reset_bar", high, high, **up)
        n(netlist, "reset_low", "top", "reset", "0", "0", **down)
        small: Size = {"width": self.idle_width, "length": n.switch_length}
        for end in ("top", "bottom"):
            n(netlist, f"idle_{end}", end, "idle", "read", "0", **small)
        for gate in ("set", "reset"):
            n(netlist, f"gate_{gate}_n", "idle", gate, "0", "0", **small)
        small = {"width": 2 * self.idle_width, "length": p.switch_length}
        p(netlist, "gate_set_p", "gate_mid", "set", high, high, **small)
        p(netlist, "gate_reset_p", "idle", "reset", "gate_mid", high, **small)
