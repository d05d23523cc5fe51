"""The verdict: which simplest model describes a cloud, and what it is and is not, each with what would have been missed.
"""
