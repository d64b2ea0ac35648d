//! What shells and `man` are told of the command line.

use std::collections::BTreeSet;
use std::fs;

use tempfile::TempDir;

use crate::support::{command, vespeiro};

/// What bash offers behind these words.
fn offered(script: &str, words: &str) -> BTreeSet<String> {
    let asks = format!(
        "{script}\nCOMP_WORDS=(vespeiro {words}); COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1)); \
         _vespeiro vespeiro \"${{COMP_WORDS[-1]}}\" \"${{COMP_WORDS[-2]}}\"; printf '%s\\n' \"${{COMPREPLY[@]}}\""
    );
    // Too long for an argument.
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("asks.sh");
    fs::write(&file, asks).unwrap();
    let bash = command("bash").arg(&file).output().unwrap();
    assert!(bash.status.success(), "{bash:?}");
    let offers = String::from_utf8(bash.stdout).unwrap();
    offers.lines().map(str::to_owned).collect()
}

#[test]
fn bash_completes_commands_and_options() {
    let script = vespeiro(&["completions", "bash"]).stdout;
    let commands = offered(&script, "re");
    for named in ["record", "rehearse", "report"] {
        assert!(commands.contains(named), "{commands:?}");
    }
    let hidden = offered(&script, "compile");
    assert!(!hidden.contains("compile-modules"), "{hidden:?}");
    assert!(offered(&script, "run --ramp").contains("--ramp-up"));
}

#[test]
fn every_shell_gets_a_script_of_its_own() {
    let of = |shell| vespeiro(&["completions", shell]);
    for (shell, mark) in [
        ("zsh", "#compdef vespeiro"),
        ("fish", "complete -c vespeiro"),
        ("powershell", "Register-ArgumentCompleter"),
    ] {
        let ended = of(shell);
        assert_eq!(ended.code, Some(0), "{ended:?}");
        assert!(ended.stdout.contains(mark), "{shell}");
        assert!(ended.stdout.contains("ramp-up"), "{shell}");
    }
    let unknown = of("csh");
    assert_eq!(unknown.code, Some(2), "{unknown:?}");
    assert!(unknown.stderr.contains("powershell"), "{unknown:?}");
}

#[test]
fn each_command_has_a_manual_page_in_the_users_language() {
    let folder = TempDir::new().unwrap();
    let man = folder.path().join("man1");
    let ended = vespeiro(&["man", &man.display().to_string()]);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let named = |page: &str| fs::read_to_string(man.join(page)).unwrap();
    assert!(named("vespeiro-run.1").contains("ramp\\-up"));
    assert!(named("vespeiro.1").contains(".SH SUBCOMMANDS"));
    assert!(!man.join("vespeiro-compile-modules.1").exists());
    let help = vespeiro(&["--help"]).stdout;
    let commands = help.lines().skip_while(|line| *line != "Commands:").skip(1);
    let commands = commands.take_while(|line| !line.is_empty());
    let commands = commands.filter_map(|line| line.split_whitespace().next());
    let commands: Vec<&str> = commands.filter(|name| *name != "help").collect();
    assert!(commands.len() > 10, "{help}");
    for command in commands {
        let page = man.join(format!("vespeiro-{command}.1"));
        assert!(page.exists(), "{command}");
    }
    let mut portuguese = command(env!("CARGO_BIN_EXE_vespeiro"));
    let portuguese = portuguese.arg("man").env("LANG", "pt_BR.UTF-8").output();
    let page = String::from_utf8(portuguese.unwrap().stdout).unwrap();
    assert!(page.contains("Jogar um plano"), "{page}");
}
