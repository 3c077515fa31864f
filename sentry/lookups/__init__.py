"""What authorities and registries are asked: whether a certificate was revoked, when a domain ends, its records.

All of them are strangers whose names other strangers wrote into certificates, so each answer is bounded in size and
time, and nobody is asked at an address that is not public unless the settings say so.
"""
