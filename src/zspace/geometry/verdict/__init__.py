"""The verdict: what a cloud is, which simplest model describes it, and what would have been missed."""
