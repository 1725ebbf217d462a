"""Many rounds: the loop, schedules, checkpoints, samples, slots, and how rounds are played."""
