"""Pure rules and the ports to the world: no I/O, no clock, no framework."""
