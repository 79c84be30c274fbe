"""Every process: found, described, bounded; its corners and its transistors' sizes."""

import math
from pathlib import Path

import numpy as np
import pytest
from PySpice.Spice.Netlist import Circuit

from spicesnn.circuits.deck import Deck, Knob, OperatingPoint
from spicesnn.engine.session import Session
from spicesnn.errors import ParameterError, ProcessNotFoundError, UnknownNameError
from spicesnn.processes import CORNERS, Mosfet, Process, find_process, installed


def one_transistor(process: Process, mosfet: Mosfet, width: float, length: float) -> Deck:
    """Drain at half the supply; gate knob `vg`, both as magnitudes."""
    sign = mosfet.sign
    circuit = Circuit("one transistor")
    mosfet(circuit, "1", "d", "g", "0", "0", width=width, length=length)
    circuit.V("d", "d", "0", raw_spice=f"dc {sign * process.supply / 2}")
    netlist = "\n".join(str(circuit).splitlines()[1:])
    return Deck(
        f"one {mosfet.model}", netlist, process.models_for(netlist),
        {"vg": Knob("vg", ("g", "0"), 0.0)}, ("i(vd)",), OperatingPoint(),
    )  # fmt: skip


def current(deck: Deck, gate: float, **knobs: float) -> float:
    sign = -1 if "pfet" in deck.title else 1
    with Session(deck) as session:
        run = session.run({"vg": sign * gate, **knobs})
    return -sign * float(run.waveforms["i(vd)"][0])


def test_its_transistors_conduct_and_respect_their_least_size(any_process: Process) -> None:
    process = any_process
    mosfets = [process.nfet, process.pfet, process.thick_nfet, process.thick_pfet]
    for mosfet in filter(None, mosfets):
        least = one_transistor(process, mosfet, mosfet.minimum_width, mosfet.minimum_length)
        assert current(least, process.supply) > 1e-6, mosfet.model
        assert current(one_transistor(process, mosfet, 1e-6, 1e-6), 0.0) < 1e-12, mosfet.model
        with pytest.raises(ParameterError, match=f"under the minimum of {mosfet.model}"):
            one_transistor(process, mosfet, mosfet.minimum_width, 0.9 * mosfet.minimum_length)


def test_width_counts_in_metres(any_process: Process) -> None:
    """Ten times as wide, about ten times the current; a square of 2 um carries 1 to 500 uA."""
    process = any_process
    for mosfet in (process.nfet, process.pfet):
        one, ten = (
            current(one_transistor(process, mosfet, w, 2e-6), 0.8 * process.supply)
            for w in (1e-6, 10e-6)
        )
        assert ten / one == pytest.approx(10, rel=0.4)
        assert 1e-7 < one < 3e-4


@pytest.mark.parametrize("kind", ["nfet", "pfet"])
def test_a_fast_corner_carries_more_than_a_slow_one(any_process: Process, kind: str) -> None:
    """Its own letter decides: the nfet's is the first, the pfet's the second."""
    at = {}
    for corner in CORNERS:
        process = find_process(any_process.name, corner)
        deck = one_transistor(process, getattr(process, kind), 1e-6, 1e-6)
        at[corner] = current(deck, 0.35 * process.supply)
    letter = {corner: corner[0 if kind == "nfet" else 1] for corner in CORNERS}
    assert at["ff"] > at["tt"] > at["ss"]
    for corner in ("fs", "sf"):
        assert (at[corner] > at["tt"]) == (letter[corner] == "f"), corner


def test_mismatch_is_a_knob_of_the_named_instance(any_process: Process) -> None:
    """The threshold moves the current as a gate voltage would."""
    process = any_process
    for mosfet in (process.nfet, process.pfet):
        deck = one_transistor(process, mosfet, 1e-6, 1e-6)
        knob = f"@{mosfet.instance('1')}[delvto]"
        shift = 0.01 if mosfet is process.nfet else -0.01
        with Session(deck) as session:
            sign = 1 if mosfet is process.nfet else -1
            gate = sign * 0.2 * process.supply
            runs = session.map([
                {"vg": gate, knob: 0.0}, {"vg": gate, knob: shift}, {"vg": gate - shift, knob: 0.0}
            ])  # fmt: skip
        usual, moved, lower = (abs(float(run.waveforms["i(vd)"][0])) for run in runs)
        assert moved < usual
        assert math.log(moved / usual) == pytest.approx(math.log(lower / usual), rel=0.05)


def test_pelgrom_by_hand(gf180mcu: Process) -> None:
    """GF180MCU's nfet of 1 um by 1 um: 0.7071 7.148 mV um / sqrt(1.1 um 0.85 um)."""
    threshold, factor = gf180mcu.nfet.variation.local(1e-6, 1e-6)
    assert threshold == pytest.approx(0.7071 * 7.148e-3 / np.sqrt(1.1 * 0.85))
    assert factor == pytest.approx(0.7071 * 7.008e-3 / np.sqrt(1.1 * 0.85))


def test_instance_names() -> None:
    generic = find_process("generic180").nfet
    assert generic.instance("Mem") == "mmem"
    assert generic.instance("Mem", "neuron") == "m.xneuron.mmem"


def test_an_unknown_corner_is_answered_with_near_names() -> None:
    with pytest.raises(UnknownNameError, match=r"no corner of generic180 named 'fff'.*'ff'"):
        find_process("generic180", "fff")


def test_a_temperature_out_of_range() -> None:
    process = find_process("generic180")
    assert process.checked_temperature(-40) == -40
    with pytest.raises(ParameterError, match=r"200 deg C is outside .* -40 to 125 deg C"):
        process.checked_temperature(200)


def test_a_missing_pdk_says_where_it_was_looked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PDK_ROOT", str(tmp_path))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    monkeypatch.setattr(installed, "_USUAL", ())
    with pytest.raises(ProcessNotFoundError) as caught:
        find_process("gf180mcu")
    text = str(caught.value)
    assert "no gf180mcuD/libs.tech/ngspice/sm141064.ngspice under " in text
    assert f" under {tmp_path}, {tmp_path}/spicesnn/pdk." in text
    assert "Run `spicesnn pdk add gf180mcu`, or set PDK_ROOT" in text
    with pytest.raises(ProcessNotFoundError, match="not installed"):
        find_process("sky130", path=tmp_path)


def test_the_variant_that_pdk_names_comes_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for variant in ("gf180mcuC", "gf180mcuD"):
        folder = tmp_path / variant / "libs.tech" / "ngspice"
        folder.mkdir(parents=True)
        (folder / "sm141064.ngspice").write_text("* empty\n")
    monkeypatch.setenv("PDK_ROOT", str(tmp_path))
    assert "gf180mcuD" in str(find_process("gf180mcu").library)
    monkeypatch.setenv("PDK", "gf180mcuC")
    assert "gf180mcuC" in str(find_process("gf180mcu").library)
    library = tmp_path / "gf180mcuD" / "libs.tech" / "ngspice" / "sm141064.ngspice"
    assert find_process("gf180mcu", path=library).library == library
    assert find_process("gf180mcu", path=tmp_path / "gf180mcuD").library == library
