"""One script per step of the database's shape, in order; a step that was released is never edited."""
