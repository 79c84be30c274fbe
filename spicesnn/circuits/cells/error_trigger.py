"""Error trigger: a signed error current beyond a threshold raises UP or DN."""

from __future__ import annotations

from typing import ClassVar

from PySpice.Spice.Netlist import Netlist

from spicesnn.circuits.cells.cell import Cell
from spicesnn.parameters import parameter
from spicesnn.processes import Mosfet, Process, Size


class ErrorTrigger(Cell):
    """Two current comparators of `I_plus - I_minus` with plus and minus theta.

    ```
      plus --[p diode]   minus --[p diode]      theta --[n diode]
               |                   |               |
        mirrors of I_plus   mirrors of I_minus   mirrors of theta

              I_plus                         I_minus
                |                               |
         more --+-->o limited inverter   less --+-->o limited inverter
                |     --> up_bar                |     --> dn_bar
         I_minus + theta                 I_plus + theta

         up = nor(up_bar, dn)            dn = nor(dn_bar, up)
    ```

    The currents are drawn out of `plus` and `minus` (by the sums of read-out and target), theta
    flows into `theta`. Law: `up` where `I_plus - I_minus > theta`, `dn` where it is under
    `-theta`, neither in between. Both conditions exclude each other; the crossed gates make the
    outputs do so while one is still falling.

    Every mirror transistor has a wide, short cascode on its own gate: with it the common part of
    the inputs, which all mirrors copy, moves the threshold by a percent, and without by tens. The
    inverters' inputs move slowly, so that their current is limited by theta, and their output
    helps them on their way: the gates behind them would else draw current all the while.
    Source: the comparison with two thresholds is that of the error-triggered rule (Payvand et
    al., AICAS 2020); the wiring is our choice.
    """

    subcircuit_name: ClassVar[str] = "error_trigger"
    ports: ClassVar[tuple[str, ...]] = ("plus", "minus", "up", "dn", "theta", "vdd")

    width: float = parameter(1e-6, unit="m", doc="width of the mirrors", gt=0)
    length: float = parameter(8e-6, unit="m", doc="length of the mirrors", gt=0)
    cascode_width: float = parameter(4e-6, unit="m", doc="width of the cascodes", gt=0)
    cascode_length: float = parameter(1e-6, unit="m", doc="length of the cascodes", gt=0)
    limit: int = parameter(1, unit="1", doc="transistors in parallel that limit an inverter", ge=1)

    def build(self, netlist: Netlist, process: Process) -> None:
        """Mirrors, two comparators, two gates."""
        n, p = process.nfet, process.pfet

        def mirror(device: Mosfet, name: str, drain: str, gate: str) -> None:
            """A transistor and its cascode on the same gate."""
            rail, middle = ("0" if device is n else "vdd"), f"{name}_m"
            size: Size = {"width": self.width, "length": self.length}
            device(netlist, name, middle, gate, rail, rail, **size)
            size = {"width": self.cascode_width, "length": self.cascode_length}
            device(netlist, f"{name}_c", drain, gate, middle, rail, **size)

        mirror(n, "theta", "theta", "theta")
        mirror(n, "limit_n", "limit", "theta")
        mirror(p, "limit_p", "limit", "limit")
        for own, other, node in (("plus", "minus", "more"), ("minus", "plus", "less")):
            mirror(p, own, own, own)
            mirror(p, f"{own}_turn", f"{own}_gate", own)
            mirror(n, f"{own}_gate", f"{own}_gate", f"{own}_gate")
            mirror(p, f"{node}_up", node, own)
            mirror(n, f"{node}_down", node, f"{other}_gate")
            mirror(n, f"{node}_theta", node, "theta")
        for node, out, other in (("more", "up", "dn"), ("less", "dn", "up")):
            self._inverter(netlist, process, node, out)
            _nor(netlist, process, out, f"{out}_bar", other)

    def _inverter(self, netlist: Netlist, process: Process, gate: str, out: str) -> None:
        """An inverter of limited current, helped on its way by its output `out`."""
        wide: Size = {"width": self.cascode_width, "length": self.cascode_length}
        n, p, bar = process.nfet, process.pfet, f"{out}_bar"
        sides = (("n", n, "0", "theta", n.minimum_width), ("p", p, "vdd", "limit", p.minimum_width))
        for kind, device, rail, limit, width in sides:
            size: Size = {"width": width, "length": device.switch_length}
            low, kick = f"{out}_{kind}_low", f"{out}_{kind}_kick"
            device(netlist, low, low, limit, rail, rail, multiplier=self.limit, **wide)
            device(netlist, f"{out}_{kind}", bar, gate, low, rail, **size)
            device(netlist, kick, kick, out, rail, rail, **size)
            device(netlist, f"{kick}_c", bar, gate, kick, rail, **size)


def _nor(netlist: Netlist, process: Process, out: str, one: str, other: str) -> None:
    """A minimum NOR of two inputs."""
    n, p = process.nfet, process.pfet
    low: Size = {"width": n.minimum_width, "length": n.switch_length}
    high: Size = {"width": 2 * p.minimum_width, "length": p.switch_length}
    p(netlist, f"{out}_p1", f"{out}_mid", one, "vdd", "vdd", **high)
    p(netlist, f"{out}_p2", out, other, f"{out}_mid", "vdd", **high)
    n(netlist, f"{out}_n1", out, one, "0", "0", **low)
    n(netlist, f"{out}_n2", out, other, "0", "0", **low)
