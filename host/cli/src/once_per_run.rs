//! Plays around a run what behaviors do once in it, and says so. Used by `run`, `demo` and `try`.

use vespeiro_behavior::types::Once;
use vespeiro_engine::{OncePerRun, PlayedOnce, SessionEnd, Tokens};
use vespeiro_output::Console;

/// Prepare the run. `Err`: nobody is to play. `tokens` gets what was logged in and not out.
pub(super) async fn prepare(
    run: &OncePerRun<'_>,
    tokens: &mut Tokens,
    console: &Console,
) -> anyhow::Result<()> {
    for played in run.play(Once::Prepare).await? {
        let (name, why) = (played.archetype.clone(), why(&played));
        say(Once::Prepare, played, tokens, console);
        if let Some(why) = why {
            anyhow::bail!("archetype {name}: its prepare {why}: nobody plays");
        }
    }
    Ok(())
}

/// Tear down after the run. `false`: it did not come to its end.
pub(super) async fn teardown(
    run: &OncePerRun<'_>,
    tokens: &mut Tokens,
    console: &Console,
) -> anyhow::Result<bool> {
    let mut well = true;
    for played in run.play(Once::Teardown).await? {
        let (name, why) = (played.archetype.clone(), why(&played));
        say(Once::Teardown, played, tokens, console);
        if let Some(why) = why {
            tracing::error!("archetype {name}: its teardown {why}");
            well = false;
        }
    }
    Ok(well)
}

fn say(what: Once, played: PlayedOnce, tokens: &mut Tokens, console: &Console) {
    let (name, requests) = (&played.archetype, played.requests);
    console.line(match what {
        Once::Prepare => format!("prepare: archetype {name}, requests {requests}"),
        Once::Teardown => format!("teardown: archetype {name}, requests {requests}"),
    });
    tokens.join(played.tokens);
}

/// Why it did not complete; nothing of one that did, or that somebody has stopped.
fn why(played: &PlayedOnce) -> Option<String> {
    Some(match played.ended.as_ref()? {
        SessionEnd::Completed => return None,
        SessionEnd::Abandoned => "was given up".to_owned(),
        SessionEnd::Cut => "was cut".to_owned(),
        SessionEnd::Failed(words) => {
            let words = words.escape_debug();
            format!("failed: {words}")
        }
        SessionEnd::Refused(why) => format!("was ended: {}", why.escape_debug()),
        SessionEnd::Crashed(crash) => format!("crashed: {}", crash.to_string().escape_debug()),
    })
}
