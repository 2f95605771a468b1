"""Where work runs: worker processes, the checkpoint of finished seeds, and sweeps as a whole.

`__init__.pyi` lists its names. Each is imported when it is first used.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
