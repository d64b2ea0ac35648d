//! What the process holds are passwords and tokens of the target: kept out of core dumps, and from other processes of the same
//! user. Called first thing by `main`, and by a run that is to be debugged.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// From now on nothing of this process's memory is written or shown.
pub fn begin() {
    // The hard limit stays, for whoever asks for dumps. Where either fails, it is as it was.
    limit(Some(0));
    dumpable(false);
}

/// As the system has it for any process.
pub fn allow_core_dumps() {
    limit(getrlimit(Resource::Core).maximum);
    dumpable(true);
}

fn limit(current: Option<u64>) {
    let maximum = getrlimit(Resource::Core).maximum;
    let _ = setrlimit(Resource::Core, Rlimit { current, maximum });
}

fn dumpable(_is: bool) {
    #[cfg(target_os = "linux")]
    {
        use rustix::process::{DumpableBehavior, set_dumpable_behavior};
        let _ = set_dumpable_behavior(match _is {
            true => DumpableBehavior::Dumpable,
            false => DumpableBehavior::NotDumpable,
        });
    }
}
