"""What can go wrong, as sentences a person can act on: what happened, where, and what to do.

    BaseboundError
    ├── StudyError
    │   ├── NotAStudy        missing, not SQLite, or somebody else's database
    │   ├── WrongSchema      older (run `basebound migrate`) or newer (upgrade basebound) than this program
    │   ├── StudyBusy        another job is writing it, or SQLite's lock did not clear in time
    │   ├── StudyUnwritable  read-only file or folder, full disk, failing disk
    │   ├── DamagedText      a stored response that cannot be read back
    │   ├── NotFound         no such run, problem or sample
    │   └── Conflict         what is to be written contradicts what is stored
    ├── ImportProblem        (engine.importers) a file that cannot be imported
    ├── VerifierError        (engine.verifiers) a verifier that cannot be loaded or cannot start
    ├── DeclarationError     (engine.declaration) mistakes in a STUDY.toml, each with its line
    ├── PromptError          (engine.prompts) a statement that cannot be turned into a prompt
    ├── SamplerError         (engine.samplers) a model that cannot be loaded or sampled
    └── JudgeError           (engine.auditing.server) a judge model's server that cannot be used

The command line prints the message of a BaseboundError and exits with 2; everything else is a defect and keeps its traceback.
"""

from __future__ import annotations


class BaseboundError(Exception):
    """Root of all of them. The message is one sentence: what, where, what to do."""


class StudyError(BaseboundError):
    pass


class NotAStudy(StudyError):
    pass


class WrongSchema(StudyError):
    pass


class StudyBusy(StudyError):
    pass


class StudyUnwritable(StudyError):
    pass


class DamagedText(StudyError):
    pass


class NotFound(StudyError):
    pass


class Conflict(StudyError):
    pass
