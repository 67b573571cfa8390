"""Networks as chains of maps, and back-propagation through them."""
