//! Reads the `VESPEIRO_*` variables, the locale, the folder for state and the variables of engines out of an environment. Used by `resolve.rs`, which
//! is handed the variables.
//!
//! What must stay true: nothing in this room asks the process for its environment.

use std::collections::BTreeMap;
use std::path::PathBuf;

use crate::errors::Origin;
use crate::layers::{Layer, Setting, nearest_setting};
use crate::preset;
use crate::split::engines;

/// What the environment says.
#[derive(Default)]
pub(crate) struct Environment {
    pub(crate) layer: Layer,
    pub(crate) plan: Option<(PathBuf, Origin)>,
    pub(crate) archetypes: Vec<String>,
    pub(crate) feeds: Vec<String>,
    pub(crate) files: Vec<String>,
    pub(crate) locale: Option<String>,
    /// Where programs keep what is neither configuration nor cache: `XDG_STATE_HOME`, else `~/.local/state`.
    pub(crate) state: Option<PathBuf>,
    /// What the engine that started this process says of it.
    pub(crate) engine: BTreeMap<String, String>,
}

impl Environment {
    /// An empty variable counts as absent. A `VESPEIRO_*` variable that is no setting is taken for a mistake only when
    /// it nearly is one: others set such names too (`VESPEIRO_SERVICE_HOST` in a cluster that runs a service so named).
    pub(crate) fn read(
        variables: impl IntoIterator<Item = (String, String)>,
        known: &[Setting],
    ) -> Environment {
        let mut environment = Environment::default();
        let mut locales = [None, None, None];
        let mut homes = [None, None];
        for (name, value) in variables.into_iter().filter(|(_, value)| !value.is_empty()) {
            if let Some(rank) = ["LC_ALL", "LC_MESSAGES", "LANG"]
                .iter()
                .position(|locale| *locale == name)
            {
                locales[rank] = Some(value);
                continue;
            }
            if name == "XDG_STATE_HOME" {
                homes[0] = Some(PathBuf::from(value));
                continue;
            }
            if name == "HOME" {
                homes[1] = Some(PathBuf::from(value).join(".local/state"));
                continue;
            }
            if engines::tells(&name) {
                environment.engine.insert(name, value);
                continue;
            }
            let Some(key) = name.strip_prefix("VESPEIRO_").map(str::to_lowercase) else {
                continue;
            };
            match key.as_str() {
                "plan" => environment.plan = Some((value.into(), Origin::Env(name))),
                "archetype" => {
                    environment.archetypes = value.split(',').map(str::to_owned).collect()
                }
                "feed" => environment.feeds = value.split(',').map(str::to_owned).collect(),
                "file" => environment.files = value.split(',').map(str::to_owned).collect(),
                key if key == preset::OTHER_NAME || nearest_setting(key, known).is_some() => {
                    environment.layer.set(key, value, Origin::Env(name))
                }
                _ => {}
            }
        }
        environment.locale = locales.into_iter().flatten().next();
        // The XDG rules have a relative folder ignored.
        environment.state = homes.into_iter().flatten().find(|home| home.is_absolute());
        environment
    }
}
