"""Encoders of trees."""
