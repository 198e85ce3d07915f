"""World 4: people that could be somebody. Skin, eyes, hair, light and lens each in a module; `portrait` brings them together."""
