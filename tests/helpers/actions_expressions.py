"""GitHub's expressions, as far as the workflows here use them: ``${{ inputs.a || format('x-{0}', b) }}``."""

import json
import re

_TOKEN = re.compile(r"\s*(?:('(?:[^']|'')*')|([A-Za-z_][\w.-]*)|(==|!=|&&|\|\||[!(),]))")
_TEMPLATE = re.compile(r"\$\{\{(.*?)\}\}", re.DOTALL)
_STATUS = re.compile(r"\b(always|success|failure|cancelled)\(\)")
_WORDS = {"true": True, "false": False, "null": None}


class Expressions:
    """Evaluates expressions over contexts; ``functions`` are added to the pure ones."""

    def __init__(self, contexts, functions=None):
        self._contexts = contexts
        self._functions = {
            "format": lambda text, *values: text.format(*map(as_text, values)),
            "toJSON": lambda value: json.dumps(value, indent=2),
            "fromJSON": json.loads,
            **(functions or {}),
        }
        self._tokens = []

    def value(self, text):
        self._tokens = tokens(text)
        value = self._either()
        assert not self._tokens, f"not understood: {text}"
        return value

    def text(self, template):
        """``template`` with its expressions filled in."""
        return _TEMPLATE.sub(lambda match: as_text(self.value(match[1])), as_text(template))

    def holds(self, condition):
        """An ``if``: without a function of status, success is meant."""
        inner = _TEMPLATE.sub(r"\1", str(condition))
        return truthy(self.value(inner if _STATUS.search(inner) else f"success() && ({inner})"))

    def _either(self):
        left = self._both()
        while self._taken("||"):
            right = self._both()
            left = left if truthy(left) else right
        return left

    def _both(self):
        left = self._compared()
        while self._taken("&&"):
            right = self._compared()
            left = right if truthy(left) else left
        return left

    def _compared(self):
        left = self._single()
        for operator, equal in (("==", True), ("!=", False)):
            if self._taken(operator):
                right = self._single()
                assert {type(left), type(right)} == {str}, "only text is compared here"
                return (left.lower() == right.lower()) is equal
        return left

    def _single(self):
        kind, token = self._tokens.pop(0)
        if kind == "text":
            return token
        if token == "!":
            return not truthy(self._single())
        if token == "(":
            value = self._either()
            assert self._taken(")")
            return value
        if self._taken("("):
            arguments = []
            while not self._taken(")"):
                arguments.append(self._either())
                self._taken(",")
            return self._functions[token](*arguments)
        return _WORDS[token] if token in _WORDS else self._looked_up(token)

    def _looked_up(self, path):
        value = self._contexts
        for part in path.split("."):
            value = value.get(part, "") if isinstance(value, dict) else ""
        return value

    def _taken(self, operator):
        if self._tokens[:1] == [("operator", operator)]:
            self._tokens.pop(0)
            return True
        return False


def tokens(text):
    """Pairs of kind (text, word, operator) and token."""
    found, place = [], 0
    text = text.rstrip()
    while place < len(text):
        match = _TOKEN.match(text, place)
        assert match, f"not understood: {text[place:]}"
        quoted, word, operator = match.groups()
        if quoted is not None:
            found.append(("text", quoted[1:-1].replace("''", "'")))
        else:
            found.append(("word", word) if word is not None else ("operator", operator))
        place = match.end()
    return found


def truthy(value):
    return value not in (False, None, "", 0)


def as_text(value):
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value)
