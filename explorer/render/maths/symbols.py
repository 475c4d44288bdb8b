"""What the commands of maths look like as characters. A command that is in none of these tables, and that `commands` does not
read, leaves its whole expression raw."""

from __future__ import annotations

from typing import Final


def _table(words: str) -> dict[str, str]:
    """Commands and their characters, by turns."""
    found = words.split()
    return dict(zip(found[::2], found[1::2], strict=True))


LETTERS: Final = _table(
    r"""
    alpha α beta β gamma γ delta δ zeta ζ eta η theta θ iota ι kappa κ lambda λ mu μ nu ν xi ξ omicron ο pi π rho ρ sigma σ
    tau τ upsilon υ chi χ psi ψ omega ω epsilon ϵ varepsilon ε phi ϕ varphi φ vartheta ϑ varpi ϖ varrho ϱ varsigma ς
    varkappa ϰ Gamma Γ Delta Δ Theta Θ Lambda Λ Xi Ξ Pi Π Sigma Σ Upsilon Υ Phi Φ Psi Ψ Omega Ω
    infty ∞ emptyset ∅ varnothing ⌀ partial ∂ nabla ∇ hbar ℏ ell ℓ aleph ℵ forall ∀ exists ∃ nexists ∄ neg ¬ lnot ¬ top ⊤
    bot ⊥ angle ∠ measuredangle ∡ triangle △ square □ Box □ diamond ⋄ Diamond ◇ star ⋆ Re ℜ Im ℑ wp ℘ imath ı jmath ȷ
    checkmark ✓ bigcirc ◯ odot ⊙ dots … ldots … dotsc … cdots ⋯ dotsb ⋯ vdots ⋮ ddots ⋱ prime ′ blacksquare ■ bigstar ★
    clubsuit ♣ spadesuit ♠ heartsuit ♡ diamondsuit ♢ bullet • S § pounds £ euro € textdollar $ dag † qed ∎
    # # & & _ _ $ $
    """
)
OPERATORS: Final = _table(
    r"""
    times × div ÷ cdot · pm ± mp ∓ ast ∗ circ ∘ cup ∪ cap ∩ setminus ∖ smallsetminus ∖ backslash ∖ oplus ⊕ otimes ⊗
    ominus ⊖ wedge ∧ vee ∨ land ∧ lor ∨ sqcup ⊔ uplus ⊎ dagger † bmod mod mod mod
    """
)
RELATIONS: Final = _table(
    r"""
    le ≤ leq ≤ ge ≥ geq ≥ leqslant ≤ geqslant ≥ ne ≠ neq ≠ lt < gt > ll ≪ gg ≫ approx ≈ equiv ≡ cong ≅ sim ∼ simeq ≃
    propto ∝ in ∈ notin ∉ ni ∋ subset ⊂ subseteq ⊆ supset ⊃ supseteq ⊇ nsubseteq ⊈ subsetneq ⊊ mid ∣ nmid ∤ parallel ∥
    nparallel ∦ perp ⊥ asymp ≍ doteq ≐ to → rightarrow → longrightarrow ⟶ leftarrow ← gets ← leftrightarrow ↔
    Rightarrow ⇒ implies ⟹ Longrightarrow ⟹ Leftarrow ⇐ impliedby ⟸ iff ⟺ Leftrightarrow ⇔ Longleftrightarrow ⟺
    mapsto ↦ longmapsto ⟼ hookrightarrow ↪ uparrow ↑ downarrow ↓ nearrow ↗ searrow ↘ therefore ∴ because ∵ models ⊨
    vdash ⊢ prec ≺ succ ≻ preceq ⪯ succeq ⪰ coloneqq ≔ triangleq ≜ rightleftharpoons ⇌ lesssim ≲ gtrsim ≳ approxeq ≊
    rightharpoonup ⇀ leadsto ⇝
    """
)
NEGATED: Final = _table("= ≠ ≡ ≢ ∈ ∉ ∣ ∤ | ∤ < ≮ > ≯ ≤ ≰ ≥ ≱ ⊂ ⊄ ⊆ ⊈ ⊃ ⊅ ⊇ ⊉ ∼ ≁ ≅ ≇ ≈ ≉ ∥ ∦ ∃ ∄ ∋ ∌ ⇒ ⇏ ⇔ ⇎ → ↛")
BIG: Final = _table(
    "sum ∑ prod ∏ coprod ∐ int ∫ iint ∬ iiint ∭ oint ∮ bigcup ⋃ bigcap ⋂ bigoplus ⨁ bigotimes ⨂ bigvee ⋁ bigwedge ⋀ lim lim"
) | {"limsup": "lim sup", "liminf": "lim inf"}
FUNCTIONS: Final = frozenset(
    """sin cos tan cot sec csc arcsin arccos arctan arccot sinh cosh tanh coth log ln lg exp max min sup inf gcd lcm det dim
    ker deg arg hom Pr sgn""".split()  # noqa: SIM905 - names read best as words
)

OPENING: Final = _table("{ { lbrace { lfloor ⌊ lceil ⌈ langle ⟨ lvert | lVert ‖ lbrack [ lparen ( ulcorner ⌜ llcorner ⌞")
CLOSING: Final = _table("} } rbrace } rfloor ⌋ rceil ⌉ rangle ⟩ rvert | rVert ‖ rbrack ] rparen ) urcorner ⌝ lrcorner ⌟")
BARS: Final = _table("| ‖ Vert ‖ vert |")

GAPS: Final = {
    **dict.fromkeys((",", ":", ";", ">", " ", "\n", "thinspace", "enspace", "nobreakspace", "space", "medspace"), " "),
    "!": "",
    "quad": "  ",
    "qquad": "    ",
}
UNSEEN: Final = frozenset(
    """displaystyle textstyle scriptstyle limits nolimits nonumber notag allowbreak relax noindent big Big bigg Bigg bigl Bigl
    biggl Biggl bigr Bigr biggr Biggr bigm Bigm biggm Biggm""".split()  # noqa: SIM905
)
"""These change only size and place."""

WORDS: Final = frozenset({"text", "textrm", "textnormal", "mbox", "textup", "textbf", "textit", "emph", "hbox", "fbox"})
"""What they hold is words, no maths."""
UPRIGHT: Final = frozenset({"mathrm", "operatorname", "operatorname*", "mathit", "mathnormal"})

ACCENTS: Final = {
    **dict.fromkeys(("bar", "overline"), "\u0304"),
    **dict.fromkeys(("hat", "widehat"), "\u0302"),
    **dict.fromkeys(("tilde", "widetilde"), "\u0303"),
    **dict.fromkeys(("vec", "overrightarrow"), "\u20d7"),
    "dot": "\u0307",
    "ddot": "\u0308",
    "check": "\u030c",
    "breve": "\u0306",
    "acute": "\u0301",
    "grave": "\u0300",
    "mathring": "\u030a",
    "underline": "\u0332",
    "cancel": "\u0338",
}
"""Combining marks, for one character. Over more, the accent is written as a word: vec(AB)."""
OVERLINE: Final = "\u0305"
"""The one mark that joins with its neighbours: digits that recur, the two ends of a segment."""
ACCENT_WORDS: Final = _table(
    "bar overline widehat hat widetilde tilde overrightarrow vec overbrace overbrace underbrace underbrace"
)


def _letters(shown: str, small: str) -> dict[int, str]:
    return dict(zip(map(ord, shown), small, strict=True))


SUPERSCRIPT: Final = (
    _letters("0123456789+-=()", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁼⁽⁾")
    | _letters("abcdefghijklmnoprstuvwxyz", "ᵃᵇᶜᵈᵉᶠᵍʰⁱʲᵏˡᵐⁿᵒᵖʳˢᵗᵘᵛʷˣʸᶻ")
    | _letters("ABDEGHIJKLMNOPRTUVW", "ᴬᴮᴰᴱᴳᴴᴵᴶᴷᴸᴹᴺᴼᴾᴿᵀᵁⱽᵂ")
)
SUBSCRIPT: Final = _letters("0123456789+-=()", "₀₁₂₃₄₅₆₇₈₉₊₋₌₍₎") | _letters("aehijklmnoprstuvx", "ₐₑₕᵢⱼₖₗₘₙₒₚᵣₛₜᵤᵥₓ")
SCRIPTS: Final = frozenset([*SUPERSCRIPT.values(), *SUBSCRIPT.values()])


def _run(first: str, letters: str, missing: str = "") -> dict[str, str]:
    """Letters of a font that follow one another in Unicode, but for those that were there before."""
    return {char: chr(ord(first) + place) for place, char in enumerate(letters) if char not in missing}


_CAPITALS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
FONTS: Final = {
    "mathbb": _run("𝔸", _CAPITALS, "CHNPQRZ") | dict(zip("CHNPQRZ1", "ℂℍℕℙℚℝℤ𝟙", strict=True)),
    "mathfrak": _run("𝔄", _CAPITALS, "CHIRZ") | dict(zip("CHIRZ", "ℭℌℑℜℨ", strict=True)) | _run("𝔞", _CAPITALS.lower()),
    "mathcal": _run("𝒜", _CAPITALS, "BEFHILMR") | dict(zip("BEFHILMR", "ℬℰℱℋℐℒℳℛ", strict=True)),
    "mathbf": _run("𝐀", _CAPITALS)
    | _run("𝐚", _CAPITALS.lower())
    | _run("𝟎", "0123456789")
    | _run("𝛂", "αβγδεζηθικλμνξοπρςστυφχψω"),
}
"""A letter that has no form in its font leaves the expression raw, for a bold v may be another thing than v."""
FONT_NAMES: Final = {name: name for name in FONTS} | _table(
    "mathscr mathcal bold mathbf boldsymbol mathbf bm mathbf pmb mathbf Bbb mathbb"
)
