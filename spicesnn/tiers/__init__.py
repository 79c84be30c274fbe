"""Behavioural models in JAX, fitted to the circuits and measured against them.

Importing it switches JAX to types of 64 bits; arrays keep the type that they are given. It also
asks XLA to compile a loop over steps whole, so import it before JAX has compiled anything.
"""

import os

from spicesnn.errors import SpicesnnError

# XLA on CPUs dispatches each operation of a loop's body apart unless the loop's arrays are small,
# which costs more than a step of a few units itself: one adaptive neuron runs six times faster when
# its loop is compiled whole. A larger loop gains less, and would lose the spreading of its
# operations over the cores. 8 MiB is our choice.
_WHOLE_LOOPS = "--xla_backend_extra_options=xla_cpu_small_while_loop_byte_threshold=8388608"
_flags = os.environ.get("XLA_FLAGS", "").strip()
# What does not begin with a dash is the name of a file of flags.
if "xla_backend_extra_options" not in _flags and _flags[:1] in ("", "-"):
    os.environ["XLA_FLAGS"] = f"{_flags} {_WHOLE_LOOPS}".strip()

try:
    import equinox  # noqa: F401
    import jax
except ImportError as error:
    raise SpicesnnError(
        f"tiers need JAX and Equinox ({error}): install them by `pip install 'spicesnn[tiers]'`."
    ) from error

jax.config.update("jax_enable_x64", True)  # type: ignore[no-untyped-call]
