"""What several tests share: oracles, small networks, drawn cases."""
