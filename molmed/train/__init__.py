"""The trainer core: it knows batches, losses and scores, and no science."""
