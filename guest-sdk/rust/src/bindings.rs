//! The contract on wasm32: the bindings that wit-bindgen generates, over the types of [`crate::contract`], and
//! their two ends: [`Exported`] turns the host's calls into sessions, [`Imports`] journeys' calls into the host's.
//! Only what is generated here is unsafe.
#![allow(unsafe_code, missing_docs, missing_debug_implementations)]

use std::marker::PhantomData;

use crate::Behavior;
use crate::contract::{self, Context, Level, Outcome, Setup, Step};
use crate::host::Host;
use crate::session::Session;

wit_bindgen::generate!({
    path: "../wit/0.2",
    inline: "
        package vespeiro:sdk;
        world behaving {
            include vespeiro:behavior/archetype@0.2.0;
            export vespeiro:behavior/migrate@0.2.0;
        }
    ",
    world: "vespeiro:sdk/behaving",
    generate_all,
    pub_export_macro: true,
    with: { "vespeiro:behavior/types@0.2.0": crate::contract },
});

use exports::vespeiro::behavior::behavior as exported;
use exports::vespeiro::behavior::migrate as moving;
use vespeiro::behavior::host as imported;

/// Where the module's behavior is.
pub trait Provide: 'static {
    fn behavior() -> &'static Behavior;
}

/// The module's exports.
pub struct Exported<B>(PhantomData<B>);

impl<B: Provide> exported::Guest for Exported<B> {
    type Session = Running<B>;

    fn describe() -> exported::Description {
        std::panic::set_hook(Box::new(|panic| {
            imported::log(imported::Level::Error, &panic.to_string());
        }));
        let behavior = B::behavior();
        exported::Description {
            name: behavior.name.into(),
            version: behavior.version.into(),
            routes: behavior.routes.iter().map(contract::Route::from).collect(),
            categories: behavior
                .categories()
                .iter()
                .map(|&category| category.into())
                .collect(),
            once: behavior.once(),
        }
    }
}

/// One session, as the host holds it.
pub struct Running<B>(Session, PhantomData<B>);

impl<B: Provide> exported::GuestSession for Running<B> {
    fn new(setup: Setup) -> Self {
        Running(
            Session::begin(B::behavior(), setup, Box::new(Imports)),
            PhantomData,
        )
    }

    fn next(&self, context: Context, outcomes: Vec<Outcome>) -> Result<Step, String> {
        self.0.next(context, outcomes)
    }
}

impl<B: Provide> moving::Guest for Exported<B> {
    fn save(session: exported::SessionBorrow<'_>) -> Option<Vec<u8>> {
        session.get::<Running<B>>().0.kept()
    }

    fn restore(setup: Setup, state: Vec<u8>) -> Result<exported::Session, String> {
        let session = Session::resume(B::behavior(), setup, Box::new(Imports), state);
        Ok(exported::Session::new(Running::<B>(session, PhantomData)))
    }
}

/// The real host.
struct Imports;

impl Host for Imports {
    fn log(&self, level: Level, message: &str) {
        let level = match level {
            Level::Debug => imported::Level::Debug,
            Level::Info => imported::Level::Info,
            Level::Warn => imported::Level::Warn,
            Level::Error => imported::Level::Error,
        };
        imported::log(level, message);
    }

    fn check(&self, name: &str, passed: bool) {
        imported::check(name, passed);
    }

    fn observe(&self, metric: &str, value: f64) {
        imported::observe(metric, value);
    }

    fn begin(&self, transaction: &str) {
        imported::begin(transaction);
    }

    fn end(&self, transaction: &str, passed: bool) {
        imported::end(transaction, passed);
    }

    fn abandoned(&self, reason: &str, place: Option<&str>) {
        imported::abandoned(reason, place);
    }

    fn share(&self, value: &str) {
        imported::share(value);
    }

    fn shared(&self) -> Option<String> {
        imported::shared()
    }

    fn remember(&self, notes: &str) {
        imported::remember(notes);
    }

    fn remembered(&self) -> Option<String> {
        imported::remembered()
    }

    fn mark(&self, thing: &str) {
        imported::mark(thing);
    }

    fn unmark(&self, thing: &str) {
        imported::unmark(thing);
    }

    fn feed(&self, name: &str) -> Option<String> {
        imported::feed(name)
    }

    fn secret(&self, name: &str) -> Option<String> {
        imported::secret(name)
    }
}
