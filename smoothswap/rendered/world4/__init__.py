"""World 4: people that could be somebody. `portrait` brings skin, eyes, hair, light and lens together."""
