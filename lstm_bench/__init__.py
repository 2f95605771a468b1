"""Which LSTM set-up really learns your sequences, and how sure can you be?

Five concepts: a `Task` is a sequence problem, a framing turns its sequences into samples, a
`Recipe` is one training configuration, an `Outcome` is what a recipe did over its seeds, and a
sweep is a file of recipes, or of a search over them::

    import lstm_bench as lb

    few = lb.run("memory", units=20, epochs=100, seeds=30)
    many = lb.run("memory", units=20, epochs=200, seeds=30)
    lb.compare(few, many)

What is offered here is listed in `__init__.pyi`, and imported when it is first used.
"""

import importlib
import sys
import types

import lazy_loader

_offered, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)


class _Package(types.ModuleType):
    """Keeps `lb.tasks`, `lb.search` and `lb.export` functions.

    There are packages of the same names inside, and importing one of them would put it in the
    place of the function.
    """

    def __setattr__(self, name: str, value: object) -> None:
        if not (isinstance(value, types.ModuleType) and name in __all__):
            super().__setattr__(name, value)

    def __reduce__(self) -> tuple[object, ...]:
        """Lets cloudpickle send a task that uses `lb`: it knows only modules of the usual class."""
        return importlib.import_module, (self.__name__,)


def __getattr__(name: str) -> object:
    if name == "__version__":
        from lstm_bench.provenance import VERSION

        return VERSION
    try:
        return _offered(name)
    except AttributeError:
        if name.startswith("_"):  # Python and tools look for many such names
            raise
        from lstm_bench.errors import unknown

        # With the name alone, Python does not add a second suggestion to the message.
        message = f"{__name__}: {unknown('attribute', name, __all__)}"
        raise AttributeError(message, name=name) from None


sys.modules[__name__].__class__ = _Package
