"""From a recipe to a trained and scored network; the one room that imports TensorFlow and Keras.

What it offers is listed in `__init__.pyi`, and imported when it is first used.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
