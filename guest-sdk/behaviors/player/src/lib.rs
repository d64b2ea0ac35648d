//! Makes a module that plays what others wrote as data: exports `vespeiro:behavior/program` beside the behavior, whose name,
//! routes and journey come from what it is given. Used by the modules `requests` and `journey`.
//!
//! What must stay true: nothing but the behavior outlives `load`, and the host calls that once per instance.

use std::sync::OnceLock;

use vespeiro_guest::{Behavior, Me};

pub use vespeiro_guest;

#[cfg(target_arch = "wasm32")]
#[doc(hidden)]
#[allow(unsafe_code, missing_docs, missing_debug_implementations)]
pub mod bindings {
    wit_bindgen::generate!({
        path: "../../wit/0.2",
        inline: "
            package vespeiro:player;
            world playing {
                export vespeiro:behavior/program@0.2.0;
            }
        ",
        world: "vespeiro:player/playing",
        pub_export_macro: true,
    });
}

/// Where a module keeps the behavior that its program makes.
#[derive(Debug, Default)]
pub struct Loaded(OnceLock<&'static Behavior>);

impl Loaded {
    /// Nothing is loaded yet.
    #[must_use]
    pub const fn new() -> Loaded {
        Loaded(OnceLock::new())
    }

    /// Keep the behavior of a program.
    ///
    /// # Errors
    /// There is one already.
    pub fn set(&self, behavior: &'static Behavior) -> Result<(), String> {
        let twice = |_| "a program is loaded already".to_owned();
        self.0.set(behavior).map_err(twice)
    }

    /// The behavior; one that does nothing before it is loaded.
    #[must_use]
    pub fn behavior(&self) -> &'static Behavior {
        static IDLE: Behavior = Behavior::new("idle", "0.0.0", &[], |me: Me| {
            drop(me);
            Box::pin(async { Ok(()) })
        });
        self.0.get().copied().unwrap_or(&IDLE)
    }
}

/// Exports a player from the module. Takes a function from a program's name and bytes to its behavior:
/// `fn(&str, &[u8]) -> Result<&'static Behavior, String>`; its `Err` has one line for each mistake.
#[macro_export]
macro_rules! player {
    ($load:ident) => {
        #[cfg(target_arch = "wasm32")]
        static LOADED: $crate::Loaded = $crate::Loaded::new();

        #[cfg(target_arch = "wasm32")]
        #[allow(unsafe_code, missing_docs, missing_debug_implementations)]
        mod __program {
            struct Program;
            impl $crate::bindings::exports::vespeiro::behavior::program::Guest for Program {
                fn load(
                    name: ::std::string::String,
                    source: ::std::vec::Vec<u8>,
                ) -> ::std::result::Result<(), ::std::string::String> {
                    super::LOADED.set(super::$load(&name, &source)?)
                }
            }
            $crate::bindings::export!(Program with_types_in $crate::bindings);
        }

        $crate::vespeiro_guest::export_behavior!(LOADED.behavior());
    };
}
