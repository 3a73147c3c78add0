"""The control server: look at the world, change it as people would, and make things go wrong. Loopback only, JSON."""
