"""What a sampler may choose from."""
