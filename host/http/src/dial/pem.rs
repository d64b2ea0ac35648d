//! Certificates out of files. A mistake in one is told with its setting, its path and what is missing.
//!
//! What must stay true: nothing that stands in a file is quoted, for it may be a key.

use std::path::Path;

use vespeiro_plan::bounded;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;

use super::setup_error::DialSetupError;

/// At least one, in their order.
pub(super) fn certificates(
    setting: &'static str,
    path: &Path,
) -> Result<Vec<CertificateDer<'static>>, DialSetupError> {
    let text = bounded::read(path, bounded::MAX_PLAN)
        .map_err(|error| unreadable(setting, path, &error))?;
    let read: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&text).collect();
    let path = path.display().to_string();
    match read {
        Ok(read) if !read.is_empty() => Ok(read),
        Ok(_) => Err(DialSetupError::NoCertificate { setting, path }),
        Err(error) => Err(DialSetupError::BadCertificate {
            setting,
            path,
            why: error.to_string(),
        }),
    }
}

pub(super) fn unreadable(
    setting: &'static str,
    path: &Path,
    error: &std::io::Error,
) -> DialSetupError {
    DialSetupError::Unreadable {
        setting,
        path: path.display().to_string(),
        why: error.to_string(),
    }
}
