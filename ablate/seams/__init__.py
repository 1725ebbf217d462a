"""The trick interface: what a trick declares, which seams it may play, and sets of tricks."""
