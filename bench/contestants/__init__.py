"""Who takes part in `bench/train.py`: each trains the same network by other means, in a process of its own."""
