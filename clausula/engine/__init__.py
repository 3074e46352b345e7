"""Plan, messages and search; imports no network: it receives a proposal."""
