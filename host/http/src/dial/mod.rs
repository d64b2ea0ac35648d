//! New connections to a target: names, addresses in turn, local addresses, Unix sockets, proxies, TLS. The pool asks a
//! [`Dialer`] whenever it wants one more connection.
//!
//! What must stay true: a dial ends within its time, says how long each part took, and why it failed by the errors'
//! types; what this machine ran out of is never laid at the target's door.

mod cause;
mod connect;
mod dialer;
mod names;
mod options;
mod pem;
mod phases;
mod protocol;
mod proxy;
mod setup_error;
mod stream;
mod tls;
mod trust;
mod verdict;

pub use dialer::{DialError, Dialed, Dialer, Remote};
pub use names::Names;
pub(crate) use options::UNIX;
pub use options::{DialOptions, Endpoint, Guard};
pub use phases::DialPhases;
pub use protocol::{Protocol, ProtocolWish};
pub use setup_error::DialSetupError;
pub use stream::Stream;
pub use tls::Tls;
pub use verdict::{broken, tls_cause};
pub use vespeiro_plan::{Proxy, ProxyError, Resolve, ResolveError, TlsSettings, TlsVersion};
