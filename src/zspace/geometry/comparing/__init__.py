"""The comparison of any quantity of a cloud with the same of clouds drawn from any null model."""
