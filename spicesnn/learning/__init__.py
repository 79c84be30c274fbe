"""Rules, writes and the one training loop, over circuits or tiers."""
