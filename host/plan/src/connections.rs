//! How a plan uses connections: the values of `settings/connections.rs`, as the room `http` takes them.

/// Codings of bodies that are asked for and decoded.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Codings {
    pub gzip: bool,
    pub br: bool,
    pub zstd: bool,
}

impl Codings {
    /// As `Accept-Encoding` has them; `None` without any.
    pub fn names(self) -> Option<String> {
        let all = [(self.gzip, "gzip"), (self.br, "br"), (self.zstd, "zstd")];
        let names: Vec<&str> = all
            .into_iter()
            .filter_map(|(on, name)| on.then_some(name))
            .collect();
        (!names.is_empty()).then(|| names.join(", "))
    }
}

/// A version of TLS.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum TlsVersion {
    V1_2,
    V1_3,
}

impl TlsVersion {
    /// As in `--tls-min` and `--tls-max`.
    pub fn as_str(self) -> &'static str {
        match self {
            TlsVersion::V1_2 => "1.2",
            TlsVersion::V1_3 => "1.3",
        }
    }
}
