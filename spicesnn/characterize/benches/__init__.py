"""The benches of every cell, a module a family."""
