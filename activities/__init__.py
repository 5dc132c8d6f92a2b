"""Steps that touch the world: small classes by area, ports injected, one message in, one message out.

Every activity runs at least once; `docs/activities.md` says for each what makes a repeat harmless.
"""
