"""The contract: what travels between the stages, and how.

Topics and their events, the codec, the broker with its implementations, dead letters, ledgers, and each service's figures.
Everything else imports this package; it imports none of the others.
"""
