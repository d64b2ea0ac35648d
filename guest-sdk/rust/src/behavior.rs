//! What a behavior is: its name, its routes and its journey; and the macro that makes a module of it. The bindings
//! read it for `describe`, sessions start from it, the harness plays it.

use std::future::Future;
use std::pin::Pin;
use std::sync::OnceLock;

use crate::contract::{Kind, Method, Once};
use crate::me::same;
use crate::{Me, Result};

/// A journey under way: the whole state of a session beside what [`Me`] holds.
pub type Journey = Pin<Box<dyn Future<Output = Result<()>>>>;

/// One method and path template of the target, and the category its requests count for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Route {
    /// HTTP method.
    pub method: Method,
    /// Path template, for instance `/api/v1/users/{id}`.
    pub path: &'static str,
    /// Category of its requests, a key of the request mix.
    pub category: &'static str,
    /// What its requests are for.
    pub kind: Kind,
    /// The plan's name of the target that it is at; `None`: the run's own.
    pub target: Option<&'static str>,
    /// It is a unary method of gRPC: see [`Route::grpc`].
    pub grpc: bool,
}

impl Route {
    /// A route with any method.
    #[must_use]
    pub const fn new(method: Method, path: &'static str, category: &'static str) -> Route {
        Route {
            method,
            path,
            category,
            kind: Kind::Plain,
            target: None,
            grpc: false,
        }
    }

    /// A unary method of gRPC, for instance `/shop.v1.Catalog/Find`. What its requests send and get are messages of protobuf, without
    /// the frames of gRPC; the host speaks HTTP/2 for them, and their replies have a [`Status`](crate::Status).
    #[must_use]
    pub const fn grpc(method: &'static str, category: &'static str) -> Route {
        let mut route = Route::post(method, category);
        route.grpc = true;
        route
    }

    /// The same, for requests that ask for a token or whatever else says who somebody is: the host sees to it that refused
    /// ones stay below what the target allows.
    #[must_use]
    pub const fn login(mut self) -> Route {
        self.kind = Kind::Login;
        self
    }

    /// The same, for requests that ask for a new token in exchange for another one.
    #[must_use]
    pub const fn refresh(mut self) -> Route {
        self.kind = Kind::Refresh;
        self
    }

    /// The same, for requests that give back what a login has given.
    #[must_use]
    pub const fn logout(mut self) -> Route {
        self.kind = Kind::Logout;
        self
    }

    /// The same at another target than the run's own: the `[targets.NAME]` of the plan.
    #[must_use]
    pub const fn at(mut self, target: &'static str) -> Route {
        self.target = Some(target);
        self
    }

    /// A `GET` route.
    #[must_use]
    pub const fn get(path: &'static str, category: &'static str) -> Route {
        Route::new(Method::Get, path, category)
    }

    /// A `POST` route.
    #[must_use]
    pub const fn post(path: &'static str, category: &'static str) -> Route {
        Route::new(Method::Post, path, category)
    }

    /// A `PUT` route.
    #[must_use]
    pub const fn put(path: &'static str, category: &'static str) -> Route {
        Route::new(Method::Put, path, category)
    }

    /// A `PATCH` route.
    #[must_use]
    pub const fn patch(path: &'static str, category: &'static str) -> Route {
        Route::new(Method::Patch, path, category)
    }

    /// A `DELETE` route.
    #[must_use]
    pub const fn delete(path: &'static str, category: &'static str) -> Route {
        Route::new(Method::Delete, path, category)
    }
}

/// A behavior, as [`behavior!`](crate::behavior!) declares it.
#[derive(Debug)]
pub struct Behavior {
    pub(crate) name: &'static str,
    pub(crate) version: &'static str,
    pub(crate) routes: &'static [Route],
    pub(crate) journey: fn(Me) -> Journey,
    pub(crate) cleanup: Option<fn(Me) -> Journey>,
    pub(crate) prepare: Option<fn(Me) -> Journey>,
    pub(crate) teardown: Option<fn(Me) -> Journey>,
    categories: OnceLock<Vec<&'static str>>,
}

impl Behavior {
    /// A behavior by hand; [`behavior!`](crate::behavior!) writes this for you. `journey` runs when a session begins
    /// and returns what it will do.
    #[must_use]
    pub const fn new(
        name: &'static str,
        version: &'static str,
        routes: &'static [Route],
        journey: fn(Me) -> Journey,
    ) -> Behavior {
        Behavior {
            name,
            version,
            routes,
            journey,
            cleanup: None,
            prepare: None,
            teardown: None,
            categories: OnceLock::new(),
        }
    }

    /// The same with a way to remove what its sessions marked.
    #[must_use]
    pub const fn with_cleanup(mut self, cleanup: fn(Me) -> Journey) -> Behavior {
        self.cleanup = Some(cleanup);
        self
    }

    /// The same with what it does once before a run; its sessions get what it [shares](Me::share).
    #[must_use]
    pub const fn with_prepare(mut self, prepare: fn(Me) -> Journey) -> Behavior {
        self.prepare = Some(prepare);
        self
    }

    /// The same with what it does once after a run.
    #[must_use]
    pub const fn with_teardown(mut self, teardown: fn(Me) -> Journey) -> Behavior {
        self.teardown = Some(teardown);
        self
    }

    /// What it does once in a run.
    #[cfg_attr(not(target_arch = "wasm32"), allow(dead_code))]
    pub(crate) fn once(&self) -> Once {
        let flag = |has: bool, flag| if has { flag } else { Once::default() };
        flag(self.prepare.is_some(), Once::PREPARE)
            .and(flag(self.teardown.is_some(), Once::TEARDOWN))
    }

    /// Short name.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// Semantic version.
    #[must_use]
    pub fn version(&self) -> &'static str {
        self.version
    }

    /// Every route that it may use.
    #[must_use]
    pub fn routes(&self) -> &'static [Route] {
        self.routes
    }

    /// The place of a route among its routes: of the same method, target and path, and of the same category where there is one.
    pub(crate) fn place(&self, route: &Route) -> Option<usize> {
        let find = |is: &dyn Fn(&Route) -> bool| self.routes.iter().position(is);
        // A constant has one address, as a rule, and texts take long to compare.
        let mut routes = self.routes.iter();
        let found = routes.position(|known| {
            std::ptr::eq(known.path, route.path)
                && std::ptr::eq(known.category, route.category)
                && known.method == route.method
                && known.target == route.target
        });
        let alike = |known: &Route| {
            known.method == route.method
                && same(known.path, route.path)
                && known.target == route.target
        };
        found
            .or_else(|| find(&|known| alike(known) && same(known.category, route.category)))
            .or_else(|| find(&alike))
    }

    /// The place of a category among its categories.
    pub(crate) fn category_place(&self, category: &str) -> Option<usize> {
        let mut categories = self.categories().iter();
        categories.position(|&known| same(known, category))
    }

    /// The categories of its routes, each once, in the order of first appearance: the order of `context.mix`.
    pub fn categories(&self) -> &[&'static str] {
        self.categories.get_or_init(|| {
            let mut seen = Vec::new();
            for route in self.routes {
                if !seen.contains(&route.category) {
                    seen.push(route.category);
                }
            }
            seen
        })
    }
}

/// Declares the behavior of this module: a static `BEHAVIOR` for the [`Harness`](crate::harness::Harness) and, on
/// wasm32, the exports of the contract.
///
/// ```
/// use vespeiro_guest::prelude::*;
///
/// const HEALTH: Route = Route::get("/health", "monitoring");
///
/// async fn journey(me: &mut Me) -> Result<()> {
///     me.call(HEALTH).send().await?.expect_status(200)?;
///     Ok(())
/// }
///
/// behavior! {
///     name: "pulse",
///     version: env!("CARGO_PKG_VERSION"),
///     routes: [HEALTH],
///     journey: journey,
/// }
/// # fn main() {}
/// ```
///
/// `routes` may also be a constant slice. `cleanup: function` after `journey` names what removes the marks that
/// earlier sessions left, see [`Me::marks`]. Behind that, `prepare: function` names what is done once before a run, see
/// [`Me::share`], and `teardown: function` what is done once after it.
#[macro_export]
macro_rules! behavior {
    (name: $name:expr, version: $version:expr, routes: [$($route:expr),* $(,)?], $($rest:tt)*) => {
        $crate::behavior! { name: $name, version: $version, routes: &[$($route),*], $($rest)* }
    };
    (name: $name:expr, version: $version:expr, routes: $routes:expr, journey: $journey:path
        $(, cleanup: $cleanup:path)? $(, prepare: $prepare:path)? $(, teardown: $teardown:path)? $(,)?) => {
        /// The behavior of this module.
        pub static BEHAVIOR: $crate::Behavior =
            $crate::Behavior::new($name, $version, $routes, |mut me| {
                ::std::boxed::Box::pin(async move { $journey(&mut me).await })
            })
            $(.with_cleanup(|mut me| ::std::boxed::Box::pin(async move { $cleanup(&mut me).await })))?
            $(.with_prepare(|mut me| ::std::boxed::Box::pin(async move { $prepare(&mut me).await })))?
            $(.with_teardown(|mut me| ::std::boxed::Box::pin(async move { $teardown(&mut me).await })))?;
        $crate::export_behavior!(&BEHAVIOR);
    };
}

/// Exports a behavior from the module: the second half of [`behavior!`](crate::behavior!), for a behavior made by
/// hand. Takes an expression for a `&'static Behavior`; does nothing except on wasm32.
#[macro_export]
macro_rules! export_behavior {
    ($behavior:expr) => {
        #[cfg(target_arch = "wasm32")]
        #[allow(unsafe_code, missing_docs, unused_imports, missing_debug_implementations)]
        mod __export {
            use super::*;
            pub struct Module;
            impl $crate::bindings::Provide for Module {
                fn behavior() -> &'static $crate::Behavior {
                    $behavior
                }
            }
            type Exported = $crate::bindings::Exported<Module>;
            $crate::bindings::export!(Exported with_types_in $crate::bindings);
        }
    };
}
