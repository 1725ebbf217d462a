"""How good the samples are, always with the protocol that measured it."""
