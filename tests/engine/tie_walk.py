"""One hypothesis in one voice, token by token, through the tables of ties."""

import jax
import numpy as np

from clausula.engine import tie_guidance
from clausula.engine.tie_reference import sounding_after

token_log_probs = jax.jit(tie_guidance.token_log_probs)
advance = jax.jit(tie_guidance.advance)
theme_tokens = jax.jit(tie_guidance.theme_tokens)


class Walk:
    """A hypothesis; ``rows`` copies of it, for tests that tell rows apart."""

    def __init__(self, tables, voice, rows=1):
        self.tables, self.voice, self.prefix = tables, voice, []
        self.history = np.zeros((rows, len(tables.allowed), 4), np.int8)
        self.state = tie_guidance.tie_init(tables, rows)

    def log_probs(self):
        time = np.int32(len(self.prefix))
        theme = theme_tokens(self.tables, self.history, time)[:, self.voice]
        self.sounding = np.full(len(self.history), sounding_after(self.prefix), np.int32)
        self.log = token_log_probs(
            self.tables, self.state, time, np.int32(self.voice), self.sounding, theme
        )
        return np.asarray(self.log)[0]

    def choose(self, token):
        time, rows = len(self.prefix), len(self.history)
        self.state = advance(
            self.tables,
            self.state,
            np.int32(time),
            np.int32(self.voice),
            self.sounding,
            self.log,
            np.zeros(rows, np.int32),
            np.full(rows, token, np.int32),
        )
        self.history[:, time, self.voice] = token
        self.prefix.append(int(token))

    @property
    def log_kept(self):
        return float(self.state.log_ties[0, self.voice])
