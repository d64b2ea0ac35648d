//! `vespeiro precompile`: compiles modules ahead into a folder, from which `--precompiled` takes them: a hundred containers of one
//! image need not compile the same. Each module is loaded, so that what could not play is found out here.

use std::path::PathBuf;

use crate::exit::{Exit, Misuse};
use crate::log;
use crate::module_loader::ModuleLoader;
use vespeiro_model::Clock;
use vespeiro_output::{Console, stdout};
use vespeiro_plan::{Flags, Module, resolve_elsewhere};

/// Compile behaviors ahead, for images that many processes start from
#[derive(Debug, clap::Args)]
pub(super) struct Precompile {
    /// .wasm, .js, .ts or .toml files, or builtin:NAME; scripts and journeys share what plays them
    #[arg(value_name = "MODULE", required = true)]
    modules: Vec<String>,
    /// The folder to put them into; it is made
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
}

impl Precompile {
    pub(super) fn execute(self, console: &Console) -> anyhow::Result<Exit> {
        log::start_rehearsal(console);
        let plan = resolve_elsewhere(Flags::default())?.plan;
        let loader = ModuleLoader::ahead(&plan, &self.out, Clock::system())?;
        let mut told = String::new();
        for text in &self.modules {
            let module = match text.strip_prefix("builtin:") {
                Some(name) => Module::BuiltIn(name.to_owned()),
                None => Module::File(text.into()),
            };
            let loaded = loader.load_now(&module);
            let behavior = loaded.map_err(|error| Misuse(error.to_string()))?;
            told += &format!("{text}: {} {}\n", behavior.name, behavior.version);
        }
        stdout::print(&told)?;
        Ok(Exit::Fine)
    }
}
