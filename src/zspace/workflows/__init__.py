"""One function a verb: resolve, load, act, save, return the record. Each goes on where it was interrupted."""
