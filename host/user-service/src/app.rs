//! What every handler shares: configuration, clock, keys, state and ledger. Handlers take the store's lock here,
//! do plain memory work under it, and never hold it over an `await`.

use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use crate::Config;
use crate::clock::{Clock, Timestamp};
use crate::hub::Hub;
use crate::ledger::Ledger;
use crate::limits::RateLimit;
use crate::store::Store;
use crate::tokens::Keys;

/// A cheap handle on the one running service.
#[derive(Clone)]
pub struct App(Arc<Shared>);

struct Shared {
    config: Config,
    limit: Option<RateLimit>,
    clock: Clock,
    keys: Keys,
    ledger: Ledger,
    hub: Hub,
    store: RwLock<Store>,
}

impl App {
    pub fn new(config: Config) -> Self {
        let clock = Clock::start();
        let store = Store::seeded(&config, clock.now());
        Self(Arc::new(Shared {
            limit: config.rate_limit.and_then(RateLimit::per_second),
            clock,
            keys: Keys::random(),
            ledger: Ledger::default(),
            hub: Hub::default(),
            store: RwLock::new(store),
            config,
        }))
    }

    pub fn config(&self) -> &Config {
        &self.0.config
    }

    pub fn limit(&self) -> Option<&RateLimit> {
        self.0.limit.as_ref()
    }

    pub fn now(&self) -> Timestamp {
        self.0.clock.now()
    }

    pub fn keys(&self) -> &Keys {
        &self.0.keys
    }

    pub fn ledger(&self) -> &Ledger {
        &self.0.ledger
    }

    pub fn hub(&self) -> &Hub {
        &self.0.hub
    }

    pub fn read(&self) -> RwLockReadGuard<'_, Store> {
        self.0.store.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn write(&self) -> RwLockWriteGuard<'_, Store> {
        self.0.store.write().unwrap_or_else(PoisonError::into_inner)
    }
}
