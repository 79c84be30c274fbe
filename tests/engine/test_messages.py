"""Stored logs of ngspice 39 and 46, one for each class of message, in `logs/`.

Each is what `ngspice -b` printed of a small deck (repeats taken out), but for `out_of_memory`,
which is what the library said.
"""

from pathlib import Path

import pytest

from spicesnn.engine.messages import MessageClass, classify, classify_all, overratings

LOGS = Path(__file__).parent / "logs"
# What else must be in a log than the class that it is named after.
BESIDE = {
    "convergence_aid": {"SINGULAR_MATRIX"},
    "singular_matrix": {"CONVERGENCE_AID"},
    "missing_vector": {"CONVERGENCE_FAILURE"},
    "ignored_parameter": {"WARNING"},
    "out_of_memory": {"DECK_ERROR"},
}


@pytest.mark.parametrize("kind", list(MessageClass), ids=lambda kind: kind.name.lower())
@pytest.mark.parametrize("version", [39, 46])
def test_a_stored_log_gives_its_class(kind: MessageClass, version: int) -> None:
    name = kind.name.lower()
    lines = (LOGS / f"{name}-{version}.log").read_text().splitlines()
    found = {message.kind.name for message in classify_all(lines)}
    if kind is MessageClass.INFORMATION:
        assert found == set()
        return
    assert kind.name in found
    assert found <= {kind.name} | BESIDE.get(name, set())


@pytest.mark.parametrize("version", [39, 46])
def test_every_rating_that_was_passed_is_read(version: int) -> None:
    """Transistors, diodes, bipolar transistors, resistors and capacitors word it differently."""
    log = (LOGS / f"over_rating-{version}.log").read_text().splitlines()
    over = {(o.device, o.quantity): o for o in overratings(classify_all(log))}
    assert set(over) == {
        ("m1", "vgs"), ("m1", "vgb"), ("d1", "vd"), ("d1", "id"), ("d1", "pd"),
        ("q1", "vbe"), ("q1", "vbc"), ("q1", "vce"), ("c1", "vc"), ("r1", "vr"),
    }  # fmt: skip
    assert over["m1", "vgs"].time == pytest.approx(6.912e-7)
    assert over["m1", "vgs"].reached == pytest.approx(2.5536)
    assert over["d1", "pd"].rating == pytest.approx(1e-3)
    assert [over["d1", q].unit for q in ("vd", "id", "pd")] == ["V", "A", "W"]
    assert over["q1", "vce"].reached == 5


def test_what_only_looks_like_trouble() -> None:
    for line in (
        "Circuit: a warning: no convergence",
        "Instance: d1 Model: dd Time: 0 Pd=inf W at Vd=0.63 V has exceeded Pd_max=1e+99 W",
        "Operating point simulation skipped by 'uic',",
        "Error: no data saved for Noise analysis; analysis not run",
    ):
        assert classify(line).kind is MessageClass.INFORMATION
