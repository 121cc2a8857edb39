"""Whether the tests notice when the code is changed: mutation testing of the pure modules (`make mutation`)."""
