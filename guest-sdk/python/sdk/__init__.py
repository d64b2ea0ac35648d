"""All that a behavior imports: `behavior` declares it, requests and pauses are what its journey yields. What a journey is
given besides is `Me`, in me.py. Nothing here knows a socket or a clock.
"""

from .behavior import Behavior, behavior
from .bodies import file
from .calls import all_of, delete, get, grpc, head, open_channel, options, patch, post, put
from .channel import Channel, Message
from .errors import ConfigError, Failed, GaveUp, UnexpectedBody, UnexpectedStatus, UsageError
from .me import Me
from .pauses import think, think_between, think_briefly, think_long, wait
from .reply import Reply
from .tokens import Tokens

__all__ = [
    "Behavior", "Channel", "ConfigError", "Failed", "GaveUp", "Me", "Message", "Reply", "Tokens", "UnexpectedBody",
    "UnexpectedStatus", "UsageError", "all_of", "behavior", "delete", "file", "get", "grpc", "head", "open_channel", "options",
    "patch",
    "post", "put", "think", "think_between", "think_briefly", "think_long", "wait",
]
