"""The derivative of a network by any of its weights, with every step in sight."""
