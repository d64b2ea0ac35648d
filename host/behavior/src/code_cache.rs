//! Compiled code on disk, for the next run. It is native code, and this process runs it: so a file counts only with a
//! digest by a key that nobody else can read. Used by `engine.rs`.
//!
//! What must stay true: nothing is taken from a folder or a key that others could have written, and no trouble with the
//! cache is more than a warning.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

use crate::cache_folder::{self, is_private_file};
use crate::compile::{Compiled, receive, send};

/// Bytes that are kept; the oldest files go first.
const MOST: u64 = 512 << 20;
const DIGEST: usize = 32;
/// Bytes of the key: a whole block of the digest.
const KEY: usize = 64;

/// A folder of compiled modules that is this user's alone.
#[derive(Debug)]
pub(crate) struct CodeCache {
    folder: PathBuf,
    key: [u8; KEY],
}

impl CodeCache {
    /// The cache below a folder, made if it is not there.
    ///
    /// # Errors
    /// The folder or the key in it cannot be used, in words.
    pub(crate) fn open(below: &Path) -> Result<Self, String> {
        let folder = below.join("compiled");
        // Who may write to the upper one could put another in place of the lower one.
        for folder in [below, &folder] {
            let shown = folder.display();
            cache_folder::prepare(folder)
                .map_err(|why| format!("{shown}: {why}; --no-cache does without them"))?;
        }
        let key = key(&folder.join("key"))?;
        Ok(Self { folder, key })
    }

    /// What was kept under this name, if nobody has changed it.
    pub(crate) fn get(&self, name: &str) -> Option<Compiled> {
        let bytes = fs::read(self.folder.join(name)).ok()?;
        let (digest, kept) = bytes.split_at_checked(DIGEST)?;
        if self.mac(name, kept).verify_slice(digest).is_err() {
            tracing::warn!("a compiled behavior in the cache was changed: it is compiled anew");
            return None;
        }
        let (facts, code) = receive(&mut &*kept).ok()?;
        Some(Compiled { facts, code })
    }

    /// Keep a compiled module under a name. Where that fails, the next run compiles it again.
    pub(crate) fn put(&self, name: &str, compiled: &Compiled) {
        if let Err(error) = self.try_put(name, compiled) {
            tracing::warn!(
                "compiled behaviors are not kept: {}: {error}",
                self.folder.display()
            );
        }
    }

    fn try_put(&self, name: &str, compiled: &Compiled) -> io::Result<()> {
        let mut kept = Vec::new();
        send(&mut kept, &compiled.facts, &compiled.code)?;
        // Another process may write the same one.
        let part = self.folder.join(format!("{name}.{}", std::process::id()));
        let mut file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(&part)?;
        let digest = self.mac(name, &kept).finalize().into_bytes();
        let written = file.write_all(&digest).and_then(|()| file.write_all(&kept));
        let whole = written.and_then(|()| fs::rename(&part, self.folder.join(name)));
        if whole.is_err() {
            let _ = fs::remove_file(&part);
        }
        whole?;
        self.tidy()
    }

    /// Remove what is over the bound, and what a process has left half written.
    fn tidy(&self) -> io::Result<()> {
        let mut files: Vec<(SystemTime, u64, PathBuf)> = Vec::new();
        for entry in fs::read_dir(&self.folder)? {
            let entry = entry?;
            if entry.file_name() != "key" {
                let data = entry.metadata()?;
                files.push((data.modified()?, data.len(), entry.path()));
            }
        }
        files.sort_unstable_by(|a, b| b.cmp(a));
        let mut held = 0;
        for (_, length, path) in files {
            held += length;
            if held > MOST {
                fs::remove_file(path)?;
            }
        }
        Ok(())
    }

    /// A digest for a name and what is kept under it, so that one cannot be passed off as another.
    fn mac(&self, name: &str, kept: &[u8]) -> Hmac<Sha256> {
        let mut mac = Hmac::<Sha256>::new(&self.key.into());
        mac.update(&(name.len() as u64).to_le_bytes());
        mac.update(name.as_bytes());
        mac.update(kept);
        mac
    }
}

/// The key of this folder, made if there is none.
fn key(path: &Path) -> Result<[u8; KEY], String> {
    let shown = path.display();
    let failed = |error: io::Error| format!("{shown}: {error}");
    let mut key = [0; KEY];
    let new = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path);
    match new {
        Ok(mut file) => {
            let random = File::open("/dev/urandom").and_then(|mut from| from.read_exact(&mut key));
            random.and_then(|()| file.write_all(&key)).map_err(failed)?;
        }
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            let no_link = rustix::fs::OFlags::NOFOLLOW.bits() as i32;
            let open = OpenOptions::new()
                .read(true)
                .custom_flags(no_link)
                .open(path);
            let mut file = open.map_err(failed)?;
            if !file.metadata().is_ok_and(|data| is_private_file(&data)) {
                return Err(format!(
                    "{shown} is not a file of this user alone (mode 0600): remove it"
                ));
            }
            // Shorter where another process is just writing it: without a cache this once.
            file.read_exact(&mut key).map_err(failed)?;
        }
        Err(error) => return Err(failed(error)),
    }
    Ok(key)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;
    use crate::compile::Facts;
    use crate::componentize::ModuleFormat;

    fn compiled(code: &[u8]) -> Compiled {
        let facts = Facts {
            form: ModuleFormat::Component,
            contract: "contract".into(),
            imports: Vec::new(),
        };
        Compiled {
            facts,
            code: code.into(),
        }
    }

    fn mode(path: &Path, mode: u32) {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    }

    #[test]
    fn only_what_was_kept_under_this_name_by_this_key_comes_back() {
        let folder = tempfile::TempDir::new().unwrap();
        let cache = CodeCache::open(folder.path()).unwrap();
        assert!(cache.get("one").is_none());
        cache.put("one", &compiled(b"native code"));
        let again = CodeCache::open(folder.path()).unwrap();
        assert_eq!(again.get("one").unwrap().code, b"native code");
        let kept = folder.path().join("compiled");
        // As another one.
        fs::copy(kept.join("one"), kept.join("two")).unwrap();
        assert!(again.get("two").is_none());
        // Changed in any of its bytes, or cut.
        let whole = fs::read(kept.join("one")).unwrap();
        for at in 0..whole.len() {
            let mut changed = whole.clone();
            changed[at] ^= 1;
            fs::write(kept.join("one"), &changed).unwrap();
            assert!(again.get("one").is_none(), "{at}");
            fs::write(kept.join("one"), &whole[..at]).unwrap();
            assert!(again.get("one").is_none(), "{at}");
        }
        fs::write(kept.join("one"), &whole).unwrap();
        assert!(again.get("one").is_some());
        // By another key.
        fs::write(kept.join("key"), [0; KEY]).unwrap();
        assert!(CodeCache::open(folder.path()).unwrap().get("one").is_none());
    }

    #[test]
    fn folders_and_keys_that_others_may_touch_are_not_used() {
        let folder = tempfile::TempDir::new().unwrap();
        drop(CodeCache::open(folder.path()).unwrap());
        let kept = folder.path().join("compiled");
        for (path, open, closed) in [(&kept, 0o770, 0o700), (&kept.join("key"), 0o604, 0o600)] {
            mode(path, open);
            assert!(
                CodeCache::open(folder.path()).is_err(),
                "{}",
                path.display()
            );
            mode(path, closed);
            assert!(CodeCache::open(folder.path()).is_ok());
        }
        // A link to a key that somebody else knows.
        fs::rename(kept.join("key"), folder.path().join("known")).unwrap();
        std::os::unix::fs::symlink(folder.path().join("known"), kept.join("key")).unwrap();
        assert!(CodeCache::open(folder.path()).is_err());
    }
}
