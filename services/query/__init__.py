"""The read door: answers about parcels, out of the read model and the pure core. Writes nothing."""
