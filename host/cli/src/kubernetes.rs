//! `vespeiro kubernetes`: prints the manifests of an Indexed Job whose pods are the shards of a plan, or writes them as a base for
//! Kustomize. Kubernetes places, starts, watches and ends them. It talks to no cluster.

mod files;
mod manifests;

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context as _;

use crate::exit::{Exit, Misuse};
use crate::sharded::Sharded;
use files::Files;
use manifests::Asked;
use vespeiro_output::{Console, stdout};
use vespeiro_plan::resolve_elsewhere;
use vespeiro_plan::units::parse_size;

/// Print manifests for Kubernetes that play a plan by several shards
///
/// As in: vespeiro kubernetes --shards 3 plan.toml > job.yaml && kubectl create -f job.yaml
#[derive(Debug, clap::Args)]
pub(super) struct Kubernetes {
    #[command(flatten)]
    run: Sharded,
    /// Image with vespeiro as its entry point
    #[arg(long, value_name = "IMAGE", default_value = concat!("vespeiro:", env!("CARGO_PKG_VERSION")))]
    image: String,
    /// Memory of each shard, for instance 512MiB
    #[arg(long, value_name = "SIZE", default_value = "1GiB", value_parser = parse_size)]
    memory: u64,
    /// The Secret that has what may not stand in the manifests
    #[arg(long, value_name = "NAME", default_value = "vespeiro", value_parser = manifests::name)]
    secret: String,
    /// A PersistentVolumeClaim that all shards can write to, for results and journals; without it they go with the pods
    #[arg(long, value_name = "NAME", value_parser = manifests::name)]
    claim: Option<String>,
    /// Where the image has the plan's folder, with all that the plan names; without it that goes into ConfigMaps
    #[arg(long, value_name = "DIR")]
    in_image: Option<String>,
    /// All shards meet at the first one and begin together; VESPEIRO_CONTROL_TOKEN has to be in the Secret, of 16 characters or more
    #[arg(long)]
    meet: bool,
    /// Write a base for Kustomize into this new folder instead
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

impl Kubernetes {
    pub(super) fn execute(self, console: &Console) -> anyhow::Result<Exit> {
        let job = self
            .run
            .job(&manifests::OWN_FLAGS, resolve_elsewhere, console)?;
        let time = job.time.ok_or_else(|| {
            Misuse(
                "the plan has no end, and a Job needs one: give --time, for instance --time 1h"
                    .into(),
            )
        })?;
        let files = Files::of(&job, self.in_image.is_some())?;
        let asked = Asked {
            shards: self.run.shards,
            cpus: self.run.cpus,
            memory: self.memory,
            time,
            image: &self.image,
            secret: &self.secret,
            claim: self.claim.as_deref(),
            meet: self.meet,
            in_image: self.in_image.as_deref(),
        };
        let manifests = manifests::manifests(&job, &files, &asked)?;
        match &self.out {
            None => stdout::print_exactly(manifests::text(&manifests)?)?,
            Some(folder) => {
                write(&manifests, folder)?;
                let folder = folder.display();
                console.line(format!("written; kubectl apply --server-side -k {folder}"));
            }
        }
        Ok(Exit::Fine)
    }
}

/// A base for Kustomize: one file for each manifest, and the list of them.
fn write(manifests: &[manifests::Manifest], folder: &Path) -> anyhow::Result<()> {
    let failed = || folder.display().to_string();
    if folder.exists() {
        let folder = folder.display();
        return Err(Misuse(format!(
            "{folder} is there already: name a folder that is not"
        ))
        .into());
    }
    fs::create_dir_all(folder).with_context(failed)?;
    for (name, text) in manifests::base(manifests)? {
        fs::write(folder.join(name), text).with_context(failed)?;
    }
    Ok(())
}
