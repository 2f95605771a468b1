"""A recipe as a script of its own: plain Keras, as a tutorial would write it.

`data`      the samples, made in place where that is readable, else embedded
            (`symbols`, `framed` and `arrays` in place, `embedded` as they are)
`network`   the model, layer by layer
`training`  `fit` and `reset_state`, in the order that the recipe says
`answers`   what the trained network says
`script`    these four, joined
`literals`  values as Python source: all that comes from data passes through it, as literals
"""
