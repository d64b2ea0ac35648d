//! What the run measures.
