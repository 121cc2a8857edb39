"""The services of lastintact and the command that starts them."""
