"""The report on a study: numbers gathered once, told four ways.

    material.py   everything the report says, as values; gathering.py asks the analyses for it
    tables.py     the same as tidy tables, one row a fact: report.json and the .csv files; rows from facts.py, pair_facts.py,
                  likelihood_facts.py
    wording.py    names, numbers and settings as a reader meets them; a stranger's text made safe
    sections.py   the document: which sections, in which order; on_runs.py, on_pairs.py, on_likelihoods.py, on_claims.py,
                  on_audits.py and provenance.py write them, out of the blocks of document.py
    figures.py, pair_figures.py, likelihood_figures.py   the pictures, by matplotlib; marks.py and drawing.py have
                  what they share
    page.py, markdown.py     the document as one HTML file; as Markdown with pictures beside it
    writing.py    a folder of files, written whole or not at all

The same study gives the same bytes.
"""
