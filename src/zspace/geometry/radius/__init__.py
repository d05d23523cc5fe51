"""The radius: density over the distance from the origin, and the law that a Gaussian has there."""
