//! Who may touch the compiled code. What is in its folder runs as this process, outside of any sandbox: so it belongs to
//! this user, and nobody else may even look into it. Used by `code_cache.rs`.
//!
//! What must stay true: a folder that others could have written to is not used, and that ends no run.

use std::fs::{self, DirBuilder, Metadata, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, PermissionsExt as _};
use std::path::Path;

/// The permission of others to write.
const WRITE: u32 = 0o022;
/// All permissions of others.
const ANY: u32 = 0o077;
const OWNER_ALONE: u32 = 0o700;

/// Make the folder if it is not there, and see that it can be trusted. `Err` says why it cannot.
pub(super) fn prepare(folder: &Path) -> Result<(), String> {
    let made = DirBuilder::new()
        .recursive(true)
        .mode(OWNER_ALONE)
        .create(folder);
    made.and_then(|()| trusted(folder))
        .map_err(|error| error.to_string())?
}

/// Whether this is a file that nobody else can have read or written.
pub(super) fn is_private_file(data: &Metadata) -> bool {
    data.is_file() && is_own(data, ANY)
}

/// It belongs to this user, and others have none of these permissions.
fn is_own(data: &Metadata, permissions: u32) -> bool {
    data.uid() == rustix::process::geteuid().as_raw() && data.mode() & permissions == 0
}

fn trusted(folder: &Path) -> io::Result<Result<(), String>> {
    // A link would be judged by where it leads, which may change.
    let about = fs::symlink_metadata(folder)?;
    if !about.is_dir() {
        return Ok(Err("it is no folder".into()));
    }
    if !is_own(&about, WRITE) {
        return Ok(Err(
            "it belongs to another user or others may write to it, so what is in it cannot be trusted: remove it".into(),
        ));
    }
    if about.mode() & 0o777 != OWNER_ALONE {
        fs::set_permissions(folder, Permissions::from_mode(OWNER_ALONE))?;
    }
    // Root could, whatever the permissions say.
    let probe = folder.join(".writable");
    fs::write(&probe, [])?;
    fs::remove_file(probe)?;
    Ok(Ok(()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_that_others_may_write_to_is_not_trusted() {
        let above = std::env::temp_dir().join(format!("vespeiro-cache-{}", std::process::id()));
        let folder = above.join("vespeiro");
        assert_eq!(prepare(&folder), Ok(()));
        let mode = |folder: &Path| fs::metadata(folder).unwrap().mode() & 0o777;
        assert_eq!(mode(&folder), 0o700);
        fs::set_permissions(&folder, Permissions::from_mode(0o755)).unwrap();
        assert_eq!(prepare(&folder), Ok(()));
        assert_eq!(
            mode(&folder),
            0o700,
            "what others could only read is closed"
        );
        fs::set_permissions(&folder, Permissions::from_mode(0o777)).unwrap();
        assert!(prepare(&folder).unwrap_err().contains("others may write"));
        fs::remove_dir_all(above).unwrap();
        assert!(prepare(Path::new("/dev/null/cache")).is_err());
    }
}
