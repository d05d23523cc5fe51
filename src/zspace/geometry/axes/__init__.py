"""Raw axes: density along each, and how normal it is."""
