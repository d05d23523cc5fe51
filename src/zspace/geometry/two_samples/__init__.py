"""Two samples: whether a cloud can be told from a draw of a null model by what surrounds each point."""
