//! What every version of the contract has, over the types that are generated from its own WIT: its bindings, its exports
//! behind the trait that hides them, and what it imports of the host. The files of the versions say what differs.

/// Implements a version: `wit` is its folder in `guest-sdk/wit`, `text` its WIT, `first` its first number, `host` what else it
/// imports of the host. The file that
/// calls it has the rest: its routes, failures and faults (`From`), what comes of channels (`of_channel`), what is done once in a
/// run (`once`, `purpose`), and its steps
/// (`Described`, which is made of the instance's description).
macro_rules! version {
    (wit: $folder:literal, text: $text:literal, first: $first:literal, host: { $($more:tt)* }) => {
        mod bindings {
            wasmtime::component::bindgen!({
                path: $folder,
                world: "archetype",
                imports: { default: trappable },
            });
        }

        use bindings::exports::vespeiro::behavior::behavior::Guest;
        use bindings::vespeiro::behavior::{host, types as wit};
        use bindings::{Archetype, ArchetypePre};
        use wasmtime::Store;
        use wasmtime::component::{HasSelf, Instance, InstancePre, Linker, ResourceAny};

        use super::Exports;
        use super::moves::{LoadProgram, Moves, function};
        use crate::guest::GuestState;
        use crate::mismatch::mismatch;
        use crate::types::{
            Capture, Context, Description, Level, Method, Outcome, Purpose, Setup, Step,
        };

        /// The contract's text.
        pub(super) const WIT: &str = include_str!($text);
        const BEHAVIOR: &str = concat!("vespeiro:behavior/behavior@", $first);
        const MIGRATE: &str = concat!("vespeiro:behavior/migrate@", $first);
        const PROGRAM: &str = concat!("vespeiro:behavior/program@", $first);

        pub(super) fn add_to_linker(linker: &mut Linker<GuestState>) -> wasmtime::Result<()> {
            Archetype::add_to_linker::<_, HasSelf<_>>(linker, |state| state)
        }

        pub(super) fn check(pre: &InstancePre<GuestState>) -> wasmtime::Result<()> {
            ArchetypePre::new(pre.clone()).map(drop)
        }

        pub(super) fn exports(
            store: &mut Store<GuestState>,
            built: &Instance,
            is_player: bool,
        ) -> Result<Box<dyn Exports>, String> {
            let mut find = || -> wasmtime::Result<_> {
                let archetype = Archetype::new(&mut *store, built)?;
                let load = is_player.then(|| function(store, built, PROGRAM, "load"));
                Ok(Exported {
                    archetype,
                    load: load.transpose()?,
                    moves: Moves::of(store, built, MIGRATE)?,
                    described: Described::default(),
                })
            };
            match find() {
                Ok(exported) => Ok(Box::new(exported)),
                Err(error) => Err(mismatch::<
                    wit::Description,
                    wit::Setup,
                    wit::Context,
                    wit::Outcome,
                    wit::Step,
                >(store, built, BEHAVIOR, &error)),
            }
        }

        struct Exported {
            archetype: Archetype,
            load: Option<LoadProgram>,
            moves: Option<Moves<wit::Setup>>,
            described: Described,
        }

        impl Exported {
            fn guest(&self) -> &Guest {
                self.archetype.vespeiro_behavior_behavior()
            }
        }

        impl Exports for Exported {
            fn load(
                &self,
                store: &mut Store<GuestState>,
                name: String,
                source: Vec<u8>,
            ) -> wasmtime::Result<Result<(), String>> {
                match &self.load {
                    Some(load) => load.call(store, (name, source)).map(|(loaded,)| loaded),
                    None => Ok(Ok(())),
                }
            }

            fn describe(&mut self, store: &mut Store<GuestState>) -> wasmtime::Result<Description> {
                let said = self.guest().call_describe(store)?;
                self.described = Described::of(&said);
                Ok(said.into())
            }

            fn begin(&self, store: &mut Store<GuestState>, setup: Setup) -> wasmtime::Result<ResourceAny> {
                let setup = setup.into();
                self.guest().session().call_constructor(store, &setup)
            }

            fn next(
                &self,
                store: &mut Store<GuestState>,
                session: ResourceAny,
                context: Context,
                outcomes: Vec<Outcome>,
            ) -> wasmtime::Result<Result<Step, String>> {
                let context = context.into();
                let outcomes: Vec<wit::Outcome> = outcomes.into_iter().map(Into::into).collect();
                let guest = self.guest().session();
                let answer = guest.call_next(store, session, &context, &outcomes)?;
                Ok(answer.and_then(|step| self.described.step(step)))
            }

            fn can_move(&self) -> bool {
                self.moves.is_some()
            }

            fn save(
                &self,
                store: &mut Store<GuestState>,
                session: ResourceAny,
            ) -> wasmtime::Result<Option<Vec<u8>>> {
                match &self.moves {
                    Some(moves) => moves.save.call(store, (session,)).map(|(state,)| state),
                    None => Ok(None),
                }
            }

            fn restore(
                &self,
                store: &mut Store<GuestState>,
                setup: Setup,
                state: Vec<u8>,
            ) -> wasmtime::Result<Result<ResourceAny, String>> {
                match &self.moves {
                    Some(moves) => {
                        let restored = moves.restore.call(store, (setup.into(), state));
                        restored.map(|(session,)| session)
                    }
                    None => Ok(Err(format!("it exports no {MIGRATE}"))),
                }
            }
        }

        impl From<Setup> for wit::Setup {
            fn from(setup: Setup) -> Self {
                let Setup { user, pace, .. } = setup;
                Self {
                    user: wit::User {
                        index: user.index,
                        seed: user.seed,
                        username: user.username,
                        email: user.email,
                        password: user.password,
                        name: user.name,
                    },
                    ordinal: setup.ordinal,
                    seed: setup.seed,
                    purpose: match setup.purpose {
                        Purpose::Journey => wit::Purpose::Journey,
                        Purpose::Cleanup(marks) => wit::Purpose::Cleanup(marks),
                        Purpose::Once(once) => purpose(once),
                    },
                    pace: wit::Pace {
                        delay_min_ms: pace.delay_min_ms,
                        delay_max_ms: pace.delay_max_ms,
                    },
                    run: setup.run,
                    config: setup.config,
                }
            }
        }

        impl From<wit::Description> for Description {
            fn from(said: wit::Description) -> Self {
                let once = once(&said);
                let routes = said.routes.into_iter().map(Into::into);
                Self {
                    once,
                    name: said.name,
                    version: said.version,
                    routes: routes.collect(),
                    categories: said.categories,
                }
            }
        }

        /// `None` for those that the host makes itself.
        fn asked(fault: FaultKind) -> Option<wit::Fault> {
            Some(match fault {
                FaultKind::BadCredentials => wit::Fault::BadCredentials,
                FaultKind::Forbidden => wit::Fault::Forbidden,
                FaultKind::InvalidData => wit::Fault::InvalidData,
                FaultKind::NotFound => wit::Fault::NotFound,
                FaultKind::RateLimit => wit::Fault::RateLimit,
                FaultKind::Timeout | FaultKind::ServerError => return None,
            })
        }

        impl From<Context> for wit::Context {
            fn from(context: Context) -> Self {
                Self {
                    elapsed_ms: context.elapsed_ms,
                    requests_left: context.requests_left,
                    mix: context.mix,
                    fault: context.fault.and_then(asked),
                }
            }
        }

        impl From<Outcome> for wit::Outcome {
            fn from(outcome: Outcome) -> Self {
                match outcome {
                    Outcome::Response(response) => Self::Response(response.into()),
                    Outcome::Failed(failure) => Self::Failed(failure.into()),
                    Outcome::Opened(_) | Outcome::Received(_) | Outcome::Done => of_channel(outcome),
                }
            }
        }

        impl From<wit::Method> for Method {
            fn from(method: wit::Method) -> Self {
                match method {
                    wit::Method::Get => Self::Get,
                    wit::Method::Head => Self::Head,
                    wit::Method::Post => Self::Post,
                    wit::Method::Put => Self::Put,
                    wit::Method::Patch => Self::Patch,
                    wit::Method::Delete => Self::Delete,
                    wit::Method::Options => Self::Options,
                }
            }
        }

        impl From<wit::Capture> for Capture {
            fn from(capture: wit::Capture) -> Self {
                Self {
                    headers: capture.contains(wit::Capture::HEADERS),
                    body: capture.contains(wit::Capture::BODY),
                }
            }
        }

        impl wit::Host for GuestState {}

        impl host::Host for GuestState {
            fn log(&mut self, level: host::Level, message: String) -> wasmtime::Result<()> {
                let level = match level {
                    host::Level::Debug => Level::Debug,
                    host::Level::Info => Level::Info,
                    host::Level::Warn => Level::Warn,
                    host::Level::Error => Level::Error,
                };
                self.take_log(level, &message)
            }

            fn check(&mut self, name: String, passed: bool) -> wasmtime::Result<()> {
                self.take_check(&name, passed)
            }

            fn observe(&mut self, metric: String, value: f64) -> wasmtime::Result<()> {
                self.take_value(&metric, value)
            }

            fn mark(&mut self, thing: String) -> wasmtime::Result<()> {
                self.take_mark(&thing)
            }

            fn unmark(&mut self, thing: String) -> wasmtime::Result<()> {
                self.take_unmark(&thing)
            }

            fn feed(&mut self, name: String) -> wasmtime::Result<Option<String>> {
                self.give_row(&name)
            }

            $($more)*
        }
    };
}
