//! The limit of open files: each connection is one. Raised before a run, and told where it was reached.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Raise the soft limit to the hard one, which anybody may. Where that fails, requests that need more say so.
pub(super) fn raise() {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    if current != maximum {
        let raised = Rlimit {
            current: maximum,
            maximum,
        };
        let _ = setrlimit(Resource::Nofile, raised);
    }
}

/// The soft limit, as `ulimit -n` shows it.
pub(super) fn limit() -> String {
    let limit = getrlimit(Resource::Nofile).current;
    limit.map_or_else(|| "unlimited".to_owned(), |limit| limit.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_soft_limit_becomes_the_hard_one() {
        raise();
        let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
        assert_eq!(current, maximum);
    }
}
