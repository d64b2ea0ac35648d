//! The settings of how a run is steered while it goes on. Read by `settings.rs`.

use crate::ControlSettings;
use crate::addresses::socket_address;
use crate::layers::Reader;
use crate::value_types::{secret, switch};

pub(super) fn read(r: &mut Reader<'_>) -> ControlSettings {
    ControlSettings {
        address: r.read(
            "control",
            "none",
            socket_address().or_none(),
            "Let the run be steered on this address, for instance 127.0.0.1:7070: vespeiro swap, and GET /status",
        ),
        token: r.read(
            "control_token",
            "none",
            secret().or_none(),
            "What whoever steers has to know; needed where others can reach the address; never printed",
        ),
        watch: r.read(
            "watch",
            "true",
            switch(),
            "Swap an archetype's behavior when its module file changes",
        ),
        page: r.read(
            "ui",
            "none",
            socket_address().or_none(),
            "Serve a live page on this address, for instance 127.0.0.1:7071: watch the run in a browser, and steer it",
        ),
    }
}
