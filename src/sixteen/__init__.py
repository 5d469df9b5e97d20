"""Sixteen: training in 16 bit, reproduced from dataset to traced figure."""
