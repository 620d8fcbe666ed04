"""How well a table of patients points at people: classes of patients alike in what others may know of them.

Everything here describes the real table, before anything is synthesised, and reads it without differential privacy.
"""
