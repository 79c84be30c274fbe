"""Behavioural models in JAX, fitted to the circuits and measured against them.

Importing it switches JAX to types of 64 bits; arrays keep the type that they are given.
"""

from spicesnn.errors import SpicesnnError

try:
    import equinox  # noqa: F401
    import jax
except ImportError as error:
    raise SpicesnnError(
        f"tiers need JAX and Equinox ({error}): install them by `pip install 'spicesnn[tiers]'`."
    ) from error

jax.config.update("jax_enable_x64", True)  # type: ignore[no-untyped-call]
