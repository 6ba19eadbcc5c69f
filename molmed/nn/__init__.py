"""Networks: packed batches, encoders, heads, and the model that joins them."""
