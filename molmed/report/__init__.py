"""Pages: tables, drawings and words composed into one HTML file that needs nothing else."""
