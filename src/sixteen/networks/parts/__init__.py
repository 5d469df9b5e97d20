"""What network families share, and what counts layers and multiply-adds."""
