"""Every way in which a run goes wrong gets its own verdict."""

import numpy as np
import pytest

from spicesnn.circuits.deck import Deck, Knob, OperatingPoint, Transient, Waveform
from spicesnn.engine.pool import Pool
from spicesnn.engine.verdict import Verdict
from spicesnn.engine.worker import Job
from spicesnn.processes import Process


def transistor(process: Process, kind: str, gate: Waveform, **changes: object) -> Deck:
    """One transistor with its source at the rail, its gate driven, its drain at mid supply."""
    rail = "0" if kind == "nfet" else "vdd"
    netlist = (
        f"vdd vdd 0 1.8\nvd d 0 0.9\nm1 d g {rail} {rail} generic180_{kind} w=1e-6 l=1e-6 "
        "ad=0.5e-12 as=0.5e-12 pd=3e-6 ps=3e-6"
    )
    values: dict[str, object] = {
        "title": f"one {kind}", "netlist": netlist, "models": process.models,
        "knobs": {"vg": Knob("vg", ("g", "0"), gate)}, "probes": ("i(vd)",),
        "analysis": Transient(1e-3, 1e-5), "weak_inversion": ("m1",),
    }  # fmt: skip
    return Deck(**(values | changes))  # type: ignore[arg-type]


def ramp(start: float, stop: float) -> Waveform:
    return Waveform(np.array([0.0, 1e-3]), np.array([start, stop]))


@pytest.mark.parametrize(
    ("kind", "weak", "strong"),
    [("nfet", ramp(0.0, 0.4), ramp(0.0, 0.8)), ("pfet", ramp(1.8, 1.0), ramp(1.8, 0.6))],
)
def test_a_transistor_that_leaves_weak_inversion_is_named(
    process: Process, pool: Pool, kind: str, weak: Waveform, strong: Waveform
) -> None:
    stays, leaves = pool.map(
        [Job(transistor(process, kind, weak)), Job(transistor(process, kind, strong))],
        raise_on_failure=False,
    )
    assert stays.verdict is Verdict.CONVERGED
    assert set(stays.waveforms.signals) == {"i(vd)"}
    assert leaves.verdict is Verdict.LEFT_WEAK_INVERSION
    assert leaves.detail.startswith("m1 from 0.000")
    assert leaves.detail.endswith(" mV")


def test_a_transistor_over_its_rating_is_named(process: Process, pool: Pool) -> None:
    over = transistor(process, "nfet", ramp(0.0, 2.4), weak_inversion=())
    run = pool.map([Job(over)], raise_on_failure=False)[0]
    assert run.verdict is Verdict.OVER_RATING
    assert run.detail.startswith("m1 from 0.0008")
    assert "of 1.95 V" in run.detail


def test_a_floating_node_is_named(pool: Pool) -> None:
    deck = Deck("floating", "v1 a 0 1\nr1 a b 1e3\nc1 b c 1e-12\nc2 c 0 1e-12", "", {},
                ("v(c)",), OperatingPoint())  # fmt: skip
    run = pool.map([Job(deck)], raise_on_failure=False)[0]
    assert run.verdict is Verdict.FLOATING_NODE, run
