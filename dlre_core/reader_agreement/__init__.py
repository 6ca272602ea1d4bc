"""What two readers agree on: acceptances, squares, what the network makes of them, and what leaving out changed."""
