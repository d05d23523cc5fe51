"""What a run folder and a study folder hold, written and read in one place. Nothing here loads PyTorch."""
