"""A sample province: its systems on loopback, its event ledger, and the truth counted from that ledger alone."""
