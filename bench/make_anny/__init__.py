"""How the `anny` instruments are made: rendered faces with their codes, the basis, the regressor."""
