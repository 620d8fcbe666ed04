"""Every error a user can meet, and the exit code each one becomes.

SemblanceError
├─ InputError      10   the source, or an argument about it, cannot be used
│  ├─ SchemaError       the schema is malformed or does not fit the data
│  └─ FormatError       a file cannot be read or written in its format
├─ Unsupported     11   asked for something this version does not do
├─ MissingExtra    12   an optional package or system library is not installed
├─ BudgetExceeded  13   the privacy budget does not cover the request
├─ FitError        14   training failed; nothing was saved
├─ GateRefused     20   the evidence does not meet the policy
├─ BundleError     21   a release folder is not what its manifest says
│  └─ LedgerError       the ledger of what was spent was changed by something else than Semblance
└─ Interrupted    130   stopped by the user

A message says what, where and what to do, in one sentence, and never quotes a patient's value.
Programming mistakes stay ``ValueError`` and ``TypeError``.
"""

from __future__ import annotations


class SemblanceError(Exception):
    """Root of all errors meant for a user; `exit_code` is what the command line returns."""

    exit_code: int = 1


class InputError(SemblanceError):
    exit_code = 10


class SchemaError(InputError):
    pass


class FormatError(InputError):
    pass


class Unsupported(SemblanceError):
    exit_code = 11


class MissingExtra(SemblanceError):
    exit_code = 12


class BudgetExceeded(SemblanceError):
    exit_code = 13


class FitError(SemblanceError):
    exit_code = 14


class GateRefused(SemblanceError):
    exit_code = 20


class BundleError(SemblanceError):
    exit_code = 21


class LedgerError(BundleError):
    pass


class Interrupted(SemblanceError):
    exit_code = 130
