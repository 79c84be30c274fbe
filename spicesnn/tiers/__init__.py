"""Behavioural models in JAX, fitted to the circuits and measured against them.

Importing it switches JAX to types of 64 bits; arrays keep the type that they are given.
"""

import jax

jax.config.update("jax_enable_x64", True)  # type: ignore[no-untyped-call]
