"""File formats, one file each. A plain table, name -> "module:Class", in the order in which a file is held against them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from importlib import import_module
from typing import Final, cast

from engine.importers.base import Importer
from engine.importers.documents import InputFile
from engine.importers.files import ImportProblem

IMPORTERS: Final = {
    "basebound": "engine.importers.formats.native:NativeImporter",
    "harness": "engine.importers.formats.harness:HarnessImporter",
    "rollouts": "engine.importers.formats.nested:NestedImporter",
    "lm-eval": "engine.importers.formats.lmeval:LmEvalImporter",
    "lighteval": "engine.importers.formats.lighteval:LightevalImporter",
    "verl": "engine.importers.formats.verl:VerlImporter",
    "verifiers": "engine.importers.formats.verifiers_results:VerifiersImporter",
    "verifiers-traces": "engine.importers.formats.verifiers_traces:VerifiersTracesImporter",
    "trl": "engine.importers.formats.trl:TrlImporter",
    "large-language-monkeys": "engine.importers.formats.monkeys:MonkeysImporter",
    "inspect": "engine.importers.formats.inspect_eval:InspectImporter",
    "counts": "engine.importers.formats.counts:CountsImporter",
    "livecodebench": "engine.importers.formats.livecodebench:LiveCodeBenchImporter",
    "evalplus": "engine.importers.formats.evalplus:EvalPlusImporter",
    "evalperf": "engine.importers.formats.evalperf:EvalPerfImporter",
    "human-eval": "engine.importers.formats.humaneval:HumanEvalImporter",
    "humaneval-markdown": "engine.importers.formats.markdown:HumanEvalMarkdownImporter",
    "bigcode": "engine.importers.formats.bigcode:BigCodeImporter",
    "cruxeval": "engine.importers.formats.cruxeval:CruxEvalImporter",
    "mint": "engine.importers.formats.mint:MintImporter",
    "tree-of-thoughts": "engine.importers.formats.tot:TreeOfThoughtsImporter",
    "step-labels": "engine.importers.formats.step_labels:StepLabelsImporter",
    "flagged-chains": "engine.importers.formats.flagged_chains:FlaggedChainsImporter",
    "gsm8k-solutions": "engine.importers.formats.solutions:SolutionsImporter",
    # The last two take whatever has the usual names, so every format of its own stands before them.
    "problems": "engine.importers.formats.benchmark:BenchmarkImporter",
    "flat": "engine.importers.formats.flat:FlatImporter",
}


def load(name: str) -> Importer:
    """The importer of that name. Raises ImportProblem for a name that is not there."""
    if name not in IMPORTERS:
        raise ImportProblem(f"there is no format '{name}'; the formats are: {', '.join(IMPORTERS)}")
    module, _, attribute = IMPORTERS[name].partition(":")
    return cast(Importer, getattr(import_module(module), attribute)())


def all_importers() -> Iterator[Importer]:
    return (load(name) for name in IMPORTERS)


def recognise(file: InputFile) -> Importer | None:
    """The importer whose kind of file this is; where its first rows could be of several kinds, the first of them decides."""
    heads = [replace(file.head, rows=(row,)) for row in file.head.rows] or [file.head]
    looks = (replace(file, head=head) for head in heads)
    return next((importer for one in looks for importer in all_importers() if importer.recognises(one)), None)
