//! The settings of how a run is controlled while it goes on. Read by `plan.rs`.

use std::net::SocketAddr;

use crate::addresses::socket_address;
use crate::layers::section;
use crate::value_types::{secret, switch};

section! {
    /// How a run is controlled while it goes on.
    #[derive(Debug, Clone)]
    pub struct ControlSettings(r) {
        /// Address of the control API.
        address: Option<SocketAddr> = ("control", "none", socket_address().or_none(),
            "Serve the control API on this address, for instance 127.0.0.1:7070: vespeiro swap, and GET /status");
        /// Bearer token of the control API; without one it answers this machine alone. Never print it.
        token: Option<String> = ("control_token", "none", secret().or_none(),
            "Bearer token that requests to the control API must carry; needed where others can reach its address; never printed");
        /// Write core dumps, secrets included.
        core_dumps: bool = ("core_dumps", "false", switch(),
            "Allow core dumps, and other processes of this user to debug this one: both reveal passwords and tokens");
        /// Swap a behavior when its file changes.
        watch: bool = ("watch", "true", switch(), "Swap an archetype's behavior when its module file changes");
        /// Address of the live page.
        page: Option<SocketAddr> = ("ui", "none", socket_address().or_none(),
            "Serve a live page on this address, for instance 127.0.0.1:7071: watch and control the run in a browser");
    }
}
