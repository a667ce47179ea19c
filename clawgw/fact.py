"""`fact`: a frozen attrs class that the type checker guards, and nothing at run time (decision 0019).

For what is made anew for every request. Everything else is `attrs.frozen`, above all what a policy gets to see.
"""

from functools import partial
from typing import TYPE_CHECKING

import attrs

if TYPE_CHECKING:
    from attrs import frozen as fact
else:
    fact = partial(attrs.define, unsafe_hash=True)

__all__ = ["fact"]
