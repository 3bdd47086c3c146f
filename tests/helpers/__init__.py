"""What tests share: made lines, a made generator, a local hub, a browser."""
