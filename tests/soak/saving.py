# SPDX-License-Identifier: BSD-2-Clause
"""Which numbers of rows an agent process has certainly saved when it ends, so that the next one gives
the same ones (docs/ARCHITECTURE.md): the judge needs to know (oracle.py).

A file is written within two seconds by the saver, if there is one and the disk takes it. When the agent
process ends in order it waits for that, but 0.2 s at most.
"""

import time

from process import alive

# The two seconds, three in which the saver is stopped, and a disk that is busy with other things.
SAVE_LAG = 10
# A saver writes at once what had to wait for one: after so long that is done.
SAVER_LIFE = 5
# And has been handed to the agent process after so long.
SAVER_START = 1
# An agent process that ended faster has not given up waiting.
ORDERLY_END = 0.15


class Saving:
    """Looks whether the two processes are those of before, whenever something is to be judged."""

    def __init__(self, oracle, find_agent, find_saver):
        self.oracle = oracle
        self.find_agent, self.find_saver = find_agent, find_saver
        self.agent = self.saver = None  # pid
        self.saver_since = 0.0
        self.saved = float('-inf')      # what was seen until then is in the file
        self.ends = 0                   # of agent processes

    def look(self):
        """Tells the judge of an agent process that has ended."""
        now = time.monotonic()
        if self.agent and not alive(self.agent):
            self.agent = None
            self.ends += 1
            self.oracle.agent_ended(self.saved)
        self.agent = self.agent or self.find_agent()
        if not self.saver or not alive(self.saver):
            self.saver, self.saver_since = self.find_saver(), now
        if self.agent and self.saver and now - self.saver_since >= SAVER_LIFE:
            self.saved = max(self.saved, now - SAVE_LAG)

    def end_in_order(self, order, ended):
        """Calls order(), which has the agent process end in order, and then ended(), which waits until
        it has."""
        start = time.monotonic()
        may_save = self.saver and alive(self.saver) and start - self.saver_since >= SAVER_START
        order()
        ended()
        if may_save and time.monotonic() - start < ORDERLY_END:
            self.saved = start
