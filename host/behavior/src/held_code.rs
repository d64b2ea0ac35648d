//! The compiled code that behaviors hold, by the bytes that it was made of: archetypes that play the same module have it once in
//! memory. Used by `engine.rs`.
//!
//! What must stay true: code lives as long as a behavior that plays it, and no longer.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use wasmtime::component::Component;

use crate::compile::Facts;

/// A module's code, ready to run.
pub(crate) struct Code {
    pub(crate) facts: Facts,
    pub(crate) component: Component,
}

type Digest = [u8; 32];

/// Clones are the same.
#[derive(Clone, Default)]
pub(crate) struct HeldCode(Arc<Mutex<HashMap<Digest, Weak<Code>>>>);

impl HeldCode {
    pub(crate) fn get(&self, digest: &Digest) -> Option<Arc<Code>> {
        let held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        held.get(digest).and_then(Weak::upgrade)
    }

    pub(crate) fn put(&self, digest: &Digest, code: Code) -> Arc<Code> {
        let code = Arc::new(code);
        let mut held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // Of versions that are gone, not even the name is kept.
        held.retain(|_, code| code.strong_count() > 0);
        held.insert(*digest, Arc::downgrade(&code));
        code
    }
}
