//! The resolved configuration of one run. Built once by [`resolve`] for the command line, read by every room above.
//!
//! What must stay true: once built, a plan is valid and never changes; no other room asks the command line, the environment
//! or a file for a setting.

mod addresses;
mod archetypes;
pub mod bounded;
mod common;
mod condition;
mod connection_types;
mod connections;
mod curve;
mod environment;
mod errors;
mod feeds;
mod file;
mod files;
mod layers;
mod mix;
mod overrides;
mod pin;
mod plan;
pub mod preset;
mod profile;
mod proxy;
mod resolve;
mod schema;
mod secrets;
mod settings;
mod split;
mod start_at;
mod targets;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
#[cfg(test)]
mod tests;
pub mod units;
mod value_types;
mod ways;
mod workloads;

pub use addresses::{Headers, otlp_url, push_headers, remote_write_url, socket_path};
pub use archetypes::{Archetype, LoadOverrides, Module, ResolvedArchetype};
pub use common::Common;
pub use condition::{
    Bound, BoundUnit, Comparator, Condition, Dimension, Metric, Threshold, selector::Pauses,
    selector::Selector,
};
pub use connections::{
    Codings, Connections, Identity, Sharing, TlsSettings, TlsVersion, USER_AGENT,
};
pub use curve::{Curve, Stage};
pub use errors::{Origin, PlanError, PlanErrors, ValueError, nearest, one_line};
pub use feeds::{Feed, FeedFormat, FeedOrder, ResolvedFeed};
pub use files::{BodyFile, BodyFiles, HELD};
pub use layers::{Flags, ResolvedSetting, Section, Setting};
pub use mix::{ErrorMix, FaultMix, RequestMix};
pub use overrides::can_override;
pub use pin::{Resolve, ResolveError, literal};
pub use plan::{Plan, settings};
pub use preset::Preset;
pub use profile::{ArrivalKind, ArrivalPool, Profile};
pub use proxy::{Proxy, ProxyError, ProxyKind};
pub use resolve::{Origins, Resolved, Sources, language, resolve, resolve_elsewhere};
pub use schema::schema;
pub use secrets::{SecretPlace, Secrets};
pub use settings::cleanup::{CleanupSettings, CleanupWhen};
pub use settings::control::ControlSettings;
pub use settings::guard::{Degradation, GuardSettings};
pub use settings::guest::GuestSettings;
pub use settings::load::LoadSettings;
pub use settings::meet::{MeetSettings, MeetingPlace};
pub use settings::output::{Language, LogLevel, OutputSettings};
pub use settings::resilience::{BreakerRules, ResilienceSettings};
pub use settings::target::{Admin, CookiesFor, HttpVersion, Target};
pub use split::deal::{Deal, Dealt, DealtUser};
pub use split::part::{Part, Place, Shard};
pub use split::picker::ArchetypePicker;
pub use start_at::StartAt;
pub use targets::{MAIN_TARGET, NamedTarget, ResolvedTarget, TargetOf};
pub use value_types::SettingKind;
pub use workloads::Workload;
