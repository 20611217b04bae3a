"""Reads shell text into simple commands, so that a rule against a command finds it wherever it stands.

The reading errs to one side: it may find commands that bash would not run, and where the text is too odd to be sure
(`irregular`), the caller splits it again without regard to quotes. What may run *unasked* is never decided here, but
by the white list of `shell.py`.
"""

import re

from msgspec import Struct

_BLANKS = re.compile(r"(?:[ \t]|\\\n|#[^\n]*)*")
_OPERATOR = re.compile(r"\n|;;&|;;|;&|;|\|\||\|&|\||&&|&(?!>)|[()]")
_REDIRECT = re.compile(r"(?:\d+|\{\w+\})?(<<<|<<-?|<>|<&|<(?!\()|>>|>&|>\||>(?!\()|&>>|&>)")
_PIECE = re.compile(
    r"(?P<literal>[^ \t\n;&|()<>'\"`$\\]+)"
    r"|'(?P<single>[^']*)'"
    r"|\$'(?P<ansi>(?:[^'\\]|\\.)*)'"
    r"|(?P<double>\$?\")"
    r"|\\(?P<escaped>.)"
    r"|(?P<expansion>[<>]\(|\$\(\([^()'\"`\\]*\)\)|\$\(|\$\{|`)"
    r"|(?P<odd>['\"$\\])",
    re.DOTALL,
)
_QUOTED = re.compile(
    r"(?P<literal>[^\"\\$`]+)|\\(?P<escaped>.)|(?P<expansion>\$\(\([^()'\"`\\]*\)\)|\$\(|\$\{|`)|(?P<odd>[\"$\\])",
    re.DOTALL,
)
_PARAMETER = re.compile(r"(?P<literal>[^}'\"\\$`]+|\\.)|(?P<expansion>\$\(|\$\{|`)|(?P<odd>[}'\"$\\])", re.DOTALL)
_BACKTICKS = re.compile(r"((?:[^`\\]|\\.)*)`", re.DOTALL)
_DELIMITER = re.compile(r"""[ \t]*(?:(['"])([\w.-]+)\1|([\w.-]+))(?=[ \t\n;&|<>)]|$)""")
_ANSI = re.compile(r"\\(?:x([0-9a-fA-F]{1,2})|u([0-9a-fA-F]{1,4})|U([0-9a-fA-F]{1,8})|([0-7]{1,3})|(.))", re.DOTALL)
_ANSI_LETTERS = {"a": "\a", "b": "\b", "e": "\x1b", "E": "\x1b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}
_WRITING = frozenset((">", ">>", ">|", "&>", "&>>", ">&", "<>"))
_MAX_NESTING = 40


class Simple(Struct):
    """One simple command as it is written: words with quotes removed, expansions left as they are."""

    words: list[str] = []
    targets: list[str] = []
    """Files its output is redirected to."""
    piped: bool = False
    """Whether it reads what the command before it writes."""


class ShellReader:
    """One reading of one text; the results stand in its attributes."""

    def __init__(self, text: str, *, document: bool = False, nesting: int = 0) -> None:
        """`document`: the text is a here-document, in which only expansions run commands."""
        self.commands: list[Simple] = []
        self.embedded: list[str] = []
        """Texts of backticks: scripts of their own."""
        self.documents: list[str] = []
        """Texts of here-documents and here-strings: data, unless a shell reads them."""
        self.irregular = False
        """Whether bash may see other commands than these."""
        self._text = text
        self._position = 0
        self._nesting = nesting
        self._heredocs: list[tuple[re.Pattern[str], bool]] = []
        if document:
            self._quoted(closing=False)
        else:
            self._commands(nested=False)

    def _commands(self, *, nested: bool) -> None:
        """Read commands up to the end of the text or, nested, to the parenthesis that closes it."""
        current, parentheses, cases = Simple(), 0, 0
        while True:
            self._take(_BLANKS)
            if self._position >= len(self._text):
                self._finish(current)
                self.irregular |= nested
                return
            if redirect := self._take(_REDIRECT):
                self._redirect(current, redirect[1], plain=parentheses == 0)
                continue
            operator = self._take(_OPERATOR)
            if operator is None:
                current.words.append(self._word())
                continue
            cases += ("case" in current.words) - ("esac" in current.words)
            if nested or parentheses or operator[0] != ")":
                self._finish(current)
            # Otherwise nothing is open to be closed, and the words were a pattern of `case`.
            current = Simple(piped=operator[0] in {"|", "|&"})
            if operator[0] == "\n":
                self._documents()
            parentheses += (operator[0] == "(") - (operator[0] == ")")
            if nested and parentheses < 0:
                if cases <= 0:
                    return
                self.irregular = True  # a pattern of `case`, or made to look like one
            parentheses = max(parentheses, 0)

    def _take(self, expression: re.Pattern[str]) -> re.Match[str] | None:
        match = expression.match(self._text, self._position)
        if match is not None:
            self._position = match.end()
        return match

    def _finish(self, command: Simple) -> None:
        if command.words or command.targets:
            self.commands.append(command)

    def _word(self) -> str:
        word = ""
        while piece := self._take(_PIECE):
            if piece["double"]:
                word += self._quoted(closing=True)
            elif piece["expansion"]:
                word += self._expansion(piece["expansion"])
            elif piece["ansi"] is not None:
                word += _ANSI.sub(_unescape, piece["ansi"])
            elif piece["odd"]:
                self.irregular |= piece["odd"] != "$"
                word += piece["odd"]
            elif piece["escaped"] != "\n":
                word += piece["literal"] or piece["single"] or piece["escaped"] or ""
        return word

    def _quoted(self, *, closing: bool) -> str:
        """Text in double quotes, up to their end; with `closing` off, a here-document's up to the end of the text."""
        text = ""
        while piece := self._take(_QUOTED):
            if piece["expansion"]:
                text += self._expansion(piece["expansion"])
            elif piece["odd"] == '"' and closing:
                return text
            elif piece["escaped"] != "\n":
                kept = "" if piece["escaped"] in {"$", "`", '"', "\\"} else "\\"
                text += piece["literal"] or piece["odd"] or kept + piece["escaped"]
        self.irregular |= closing
        return text

    def _expansion(self, opening: str) -> str:
        """Read what the opening begins; the source text of it all stands for the word's unknown value."""
        start = self._position - len(opening)
        self._nesting += 1
        if self._nesting > _MAX_NESTING:
            self.irregular = True
            self._position = len(self._text)
        elif opening == "`":
            self._backticks()
        elif opening == "${":
            self._parameter()
        elif not opening.startswith("$(("):
            self._commands(nested=True)
        self._nesting -= 1
        return self._text[start : self._position]

    def _backticks(self) -> None:
        inner = self._take(_BACKTICKS)
        if inner is None:
            self.irregular = True
        else:
            self.embedded.append(re.sub(r"\\([`$\\])", r"\1", inner[1]))

    def _parameter(self) -> None:
        while piece := self._take(_PARAMETER):
            if piece["expansion"]:
                self._expansion(piece["expansion"])
            elif piece["odd"] == "}":
                return
            elif piece["odd"]:
                self.irregular |= piece["odd"] != "$"  # quotes mean different things here and inside double quotes
        self.irregular = True

    def _redirect(self, command: Simple, operator: str, *, plain: bool) -> None:
        if operator in {"<<", "<<-"}:
            # Inside arithmetic or a subscript "<<" shifts bits, and no document follows.
            shifts = not plain or any("[" in word for word in command.words)
            if not shifts and (delimiter := self._take(_DELIMITER)):
                tabs = r"\t*" if operator == "<<-" else ""
                end = re.compile(rf"^{tabs}{re.escape(delimiter[2] or delimiter[3])}$", re.MULTILINE)
                self._heredocs.append((end, delimiter[1] is not None))
                return
            self.irregular = True
        self._take(_BLANKS)
        target = self._word()
        if operator == "<<<":
            self.documents.append(target)
        elif operator in _WRITING:
            command.targets.append(target)

    def _documents(self) -> None:
        for end, quoted in self._heredocs:
            found = end.search(self._text, self._position)
            body = self._text[self._position : found.start() if found else len(self._text)]
            self._position = found.end() if found else len(self._text)
            self.documents.append(body)
            # A continued line may hide or make the line that ends the document.
            self.irregular |= found is None or (not quoted and "\\\n" in body)
            if not quoted:
                self._absorb(ShellReader(body, document=True, nesting=self._nesting))
        self._heredocs = []

    def _absorb(self, inner: "ShellReader") -> None:
        self.commands += inner.commands
        self.embedded += inner.embedded
        self.documents += inner.documents
        self.irregular |= inner.irregular


def _unescape(match: re.Match[str]) -> str:
    two, four, eight, octal, letter = match.groups()
    if letter:
        return _ANSI_LETTERS.get(letter, letter)
    code = int(two or four or eight, 16) if not octal else int(octal, 8)
    return chr(code) if code < 0x110000 else ""
