"""What can be wrong with a peer that is asked: one class a kind, with a text that says how."""


class PeerFault(Exception):
    """The peer, or the way to it, has failed."""


class NotConnected(PeerFault):
    """There is no connection; nothing was sent."""


class ConnectTimeout(NotConnected):
    """There was none in time."""


class BrokenOff(PeerFault):
    """The connection has ended before the answer did."""


class GoneBefore(BrokenOff):
    """A connection that was idle turned out to have ended before anything was sent."""


class InvalidAnswer(PeerFault):
    """What came is not HTTP/1.1 by the letter."""


class AnswerTooLarge(PeerFault):
    """More has come of a part of an answer than is kept."""
