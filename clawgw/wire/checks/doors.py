"""Fields that would lead a request elsewhere: upstream addresses, credentials, another library's provider switches.

Where a request goes and whose key it carries is the configuration's business alone. Unknown fields pass on to an
upstream of the same dialect, so such names are refused in whatever a provider might read as an instruction. What is the
client's own data (message contents, tool schemas and arguments, metadata) may use any name.
"""

from typing import Any

from clawgw.wire.checks.json_shape import Misfit

_DOORS = frozenset(
    {
        "apibase",
        "apihost",
        "apikey",
        "apitype",
        "apiversion",
        "awsaccesskeyid",
        "awsbedrockruntimeendpoint",
        "awssecretaccesskey",
        "awssessiontoken",
        "azureadtoken",
        "azureendpoint",
        "baseurl",
        "customllmprovider",
        "defaultheaders",
        "extraheaders",
        "litellmparams",
        "modellist",
        "vertexcredentials",
    }
)
"""In lower case, without `_` and `-`: `api_base`, `apiBase` and `API-BASE` are the same door."""


def refuse_doors(name: str, value: Any) -> None:
    """A `ForeignKey` for `json_shape.object_of`: neither `name` nor any key inside `value` is a door."""
    if name.replace("_", "").replace("-", "").lower() in _DOORS:
        raise Misfit("is not taken from a request: where requests go, and with which key, is the configuration's")
    if type(value) is dict:
        for key, member in value.items():
            _step_in(key, key, member)
    elif type(value) is list:
        for index, element in enumerate(value):
            _step_in(index, "", element)


def _step_in(step: str | int, name: str, value: Any) -> None:
    try:
        refuse_doors(name, value)
    except Misfit as misfit:
        misfit.within(step)
        raise
