"""What measuring modules share."""
