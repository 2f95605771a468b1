"""Which LSTM set-up really learns your sequences, and how sure can you be?

There are five concepts. A `Task` is a sequence problem. A framing turns its sequences into samples.
A `Recipe` is one training configuration. An `Outcome` has the results of a recipe over its seeds. A
sweep is a file of recipes, or of a search over them::

    import lstm_bench as lb

    few = lb.run("memory", units=20, epochs=100, seeds=30)
    many = lb.run("memory", units=20, epochs=200, seeds=30)
    lb.compare(few, many)

`__init__.pyi` lists the names of this package. Each is imported when it is first used.
"""

import importlib
import sys
import types

import lazy_loader

_offered, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)


class _Package(types.ModuleType):
    """Keeps `lb.tasks`, `lb.search` and `lb.export` functions.

    The package has subpackages of the same names, and importing one would replace the function.
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
