"""Start a real Postgres or Kafka broker on this machine, without Docker: a child process that ends with us."""
