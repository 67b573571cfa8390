"""Training: batches, optimizers, schedules, and the loop."""
