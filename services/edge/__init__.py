"""What both HTTP doors share: keys, roles, problems, limits, health, metrics, and how to reach the database."""
