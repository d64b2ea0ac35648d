//! Nothing but a home for `tests/`: what the four archetypes do together, played against scripted replies.
