"""Compiled devices: when they run, and what is said where they cannot."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from spicesnn.circuits.deck import Deck, Knob, OperatingPoint
from spicesnn.circuits.device_forms import device_forms
from spicesnn.devices import find_ode
from spicesnn.engine import osdi
from spicesnn.engine.cache import RunCache
from spicesnn.engine.installation import Installation, find_installation
from spicesnn.engine.options import SimulationOptions
from spicesnn.engine.session import Session
from spicesnn.errors import ParameterError, SimulationError, UnknownNameError

needs_compiler = pytest.mark.skipif(
    osdi.find_compiler() is None or not find_installation().osdi,
    reason="needs the extra osdi and an ngspice with OSDI",
)
FORMS = device_forms(find_ode("Nugent2014"))


@pytest.fixture(autouse=True)
def _fresh() -> None:
    osdi.find_compiler.cache_clear()


def deck(form: str = "auto") -> Deck:
    return Deck(
        "one device", f"xone a 0 x {FORMS.name}", "", {"va": Knob("va", ("a", "0"), 0.2)},
        ("i(va)", "v(x)"), OperatingPoint(), devices=(FORMS,), device_form=form,
    )  # fmt: skip


def answer(form: str, solver: str = "auto") -> tuple[float, bool]:
    with Session(deck(form), SimulationOptions(solver=solver)) as session:
        run = session.run()
    return float(run.waveforms["i(va)"][0]), run.klu


@needs_compiler
def test_both_forms_give_the_same_current_and_only_klu_runs_compiled() -> None:
    found = find_installation()
    assert osdi.runs_compiled(deck(), True, found)
    assert not osdi.runs_compiled(deck(), False, found)
    assert not osdi.runs_compiled(deck("subcircuit"), True, found)
    assert not osdi.runs_compiled(replace(deck(), devices=()), True, found)
    compiled, klu = answer("compiled")
    assert klu
    assert compiled == pytest.approx(answer("subcircuit")[0], rel=1e-9, abs=0)


def test_a_misspelt_form_is_refused() -> None:
    """Also where no device would run in it."""
    for asked in (deck("compild"), replace(deck("compild"), devices=())):
        with pytest.raises(UnknownNameError, match="device_form named 'compild'; did you mean 'c"):
            osdi.runs_compiled(asked, True, find_installation())
    with pytest.raises(UnknownNameError, match="'compild'"):
        answer("compild")


@needs_compiler
def test_compiled_without_klu_is_refused() -> None:
    with pytest.raises(ParameterError, match=r"needs KLU to solve it .*take 'auto' to run the sub"):
        answer("compiled", "sparse")
    assert not answer("auto", "sparse")[1]


def test_without_the_compiler_the_subcircuit_serves(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(osdi, "find_compiler", lambda: None)
    found = find_installation()
    assert not osdi.runs_compiled(deck(), True, found)
    with pytest.raises(ParameterError, match=r"needs the compiler \(pip install 'spicesnn\[osdi\]"):
        osdi.runs_compiled(deck("compiled"), True, found)
    with pytest.raises(ParameterError, match="there is no Verilog-A compiler: pip install"):
        osdi.compiled_module("module x(); endmodule")


@needs_compiler
def test_a_kept_run_of_the_subcircuits_is_not_taken_for_a_compiled_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    arguments = {}, SimulationOptions(), find_installation()
    compiled = RunCache().key(deck(), *arguments)
    monkeypatch.setattr(osdi, "find_compiler", lambda: None)
    assert RunCache().key(deck(), *arguments) != compiled


def test_an_ngspice_without_osdi_runs_the_subcircuit() -> None:
    old = Installation(Path("ngspice"), Path("lib"), 39, "ngspice-39", klu=False, osdi=False)
    assert not osdi.runs_compiled(deck(), False, old)
    with pytest.raises(ParameterError, match=r"an ngspice with OSDI \(46 or newer\) and KLU"):
        osdi.runs_compiled(deck("compiled"), False, old)


def test_a_variable_that_names_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SPICESNN_OPENVAF", "/nowhere/openvaf-r")
    with pytest.raises(ParameterError, match="SPICESNN_OPENVAF = /nowhere/openvaf-r does not"):
        osdi.find_compiler()


@needs_compiler
def test_what_does_not_compile_is_said_in_the_compilers_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    with pytest.raises(SimulationError, match=r"the Verilog-A does not compile: [\s\S]*nonsense"):
        osdi.compiled_module("module bad(p); inout p; electrical p; nonsense endmodule\n")
    assert not list(tmp_path.glob("spicesnn/osdi/*"))


@needs_compiler
def test_a_module_is_compiled_once_and_another_text_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    first = osdi.compiled_module(FORMS.verilog)
    stamp = first.stat().st_mtime_ns
    assert osdi.compiled_module(FORMS.verilog) == first
    assert first.stat().st_mtime_ns == stamp
    assert osdi.compiled_module(FORMS.verilog.replace("500", "501")) != first


def test_a_decks_identity_knows_its_devices_and_their_form() -> None:
    other = device_forms(find_ode("Zhou2022"), FORMS.name)
    identities = {
        deck().identity, deck("subcircuit").identity, replace(deck(), devices=(other,)).identity
    }  # fmt: skip
    assert len(identities) == 3


def test_a_name_that_a_simulator_would_not_take() -> None:
    with pytest.raises(ParameterError, match="device name 'My-Device': take a lower-case letter"):
        device_forms(find_ode("Zhou2022"), "My-Device")


def test_values_given_to_an_instance_count_in_both_forms() -> None:
    netlist = f"xone a 0 x {FORMS.name} r_on=1000 r_off=1000 phi=1"
    for form in ("auto", "subcircuit"):
        with Session(replace(deck(form), netlist=netlist)) as session:
            current = session.run().waveforms["i(va)"][0]
        assert current == pytest.approx(-0.2e-3, rel=1e-9, abs=0)
    assert np.isfinite(current)
