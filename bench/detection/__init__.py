"""Which detector and which landmarks: measured on rendered heads whose landmarks are known, and on photographs."""
