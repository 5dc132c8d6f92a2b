"""A Stripe that runs here: the part of its public API that card payments need, stateful and accountable."""
