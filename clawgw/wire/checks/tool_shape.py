"""The tools that a chat request offers, and how the model is to choose among them.

After OpenAI's `ChatCompletionTool`. A tool without `type` is a function (Mistral); a tool of a provider's own kind
(`openrouter:web_search`) goes on, looked through only for fields that would lead the request elsewhere.
"""

from clawgw.wire.checks.doors import refuse_doors
from clawgw.wire.checks.json_shape import anything, array_of, boolean, either, matching, object_of, one_of, tagged, text

_MAX_TOOLS = 1024
"""OpenAI takes 128 and says so itself; other providers take more."""

_ANY_OBJECT = object_of({})
_NAME = matching(r"[a-zA-Z0-9_-]{1,64}", "1 to 64 letters, digits, _ or -")
_NAMED = object_of({"name": _NAME}, required=("name",))
_OTHER = object_of({}, foreign=refuse_doors)

_FUNCTION = object_of(
    {"name": _NAME, "description": text, "parameters": _ANY_OBJECT, "strict": boolean},
    required=("name",),
    foreign=refuse_doors,
)
_GRAMMAR = object_of({"syntax": one_of("lark", "regex"), "definition": text}, required=("syntax", "definition"))
_FORMAT = tagged(
    "type", {"text": anything, "grammar": object_of({"grammar": _GRAMMAR}, required=("grammar",))}, other=None
)
_CUSTOM = object_of({"name": _NAME, "description": text, "format": _FORMAT}, required=("name",), foreign=refuse_doors)
_TOOL = tagged(
    "type",
    {
        "function": object_of({"function": _FUNCTION}, required=("function",), foreign=refuse_doors),
        "custom": object_of({"custom": _CUSTOM}, required=("custom",), foreign=refuse_doors),
    },
    default="function",
    other=_OTHER,
)

TOOLS = array_of(_TOOL, most=_MAX_TOOLS)
"""`tools`"""

_ALLOWED = object_of({"mode": one_of("auto", "required"), "tools": array_of(_ANY_OBJECT)}, required=("mode", "tools"))
_CHOICE = tagged(
    "type",
    {
        "function": object_of({"function": _NAMED}, required=("function",)),
        "custom": object_of({"custom": _NAMED}, required=("custom",)),
        "allowed_tools": object_of({"allowed_tools": _ALLOWED}, required=("allowed_tools",)),
    },
    other=_OTHER,
)

TOOL_CHOICE = either("a string or an object", {str: one_of("none", "auto", "required", "any"), dict: _CHOICE})
"""`tool_choice`; `any` is Mistral's word for `required`."""

FUNCTIONS = array_of(_FUNCTION, most=_MAX_TOOLS)
"""`functions`, the deprecated form of `tools`."""

FUNCTION_CALL = either("a string or an object", {str: one_of("none", "auto"), dict: _NAMED})
"""`function_call`, the deprecated form of `tool_choice`."""
