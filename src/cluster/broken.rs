//! Why an exchange with the API server ended without an answer.

use std::error::Error as StdError;

use hyper_util::client::legacy;
use kube::client::AuthError;
use tower::timeout::error::Elapsed;

use super::error::Cause;

/// An exchange that ended without an answer, with its cause in one line.
#[derive(Debug)]
pub(super) enum Broken {
    /// The credentials could not be had.
    Credentials(Cause),
    /// There was no connection: nothing was sent.
    Connecting(Cause),
    /// The connection broke: the request may or may not have arrived.
    Connected(Cause),
}

impl Broken {
    /// Looks through the layers of an error for what really happened.
    pub(super) fn of(error: &kube::Error) -> Self {
        if let Some(auth) = layers(error).find_map(|layer| layer.downcast_ref::<AuthError>()) {
            return Self::Credentials(credentials(auth));
        }
        if layers(error).any(<dyn StdError>::is::<Elapsed>) {
            return Self::Connecting("no connection within 5s".into());
        }
        let mut http = layers(error).filter_map(|layer| layer.downcast_ref::<legacy::Error>());
        if http.any(legacy::Error::is_connect) {
            return Self::Connecting(innermost(error));
        }
        Self::Connected(innermost(error))
    }
}

/// What a credential plugin says, without what it wrote to its standard output.
pub(super) fn credentials(error: &AuthError) -> Cause {
    match error {
        AuthError::AuthExecRun { out, .. } => {
            let said = String::from_utf8_lossy(&out.stderr);
            let last = said.trim().lines().last().unwrap_or_default();
            let colon = if last.is_empty() { "" } else { ": " };
            format!("the credential plugin failed ({}){colon}{last}", out.status).into()
        }
        AuthError::AuthExecStart(error) => {
            format!("the credential plugin cannot be started: {error}").into()
        }
        // The text of a parser error may quote the credentials.
        AuthError::AuthExecParse(_) | AuthError::ParseTokenKey(_) => {
            "the credential plugin does not answer with credentials".into()
        }
        other => other.to_string().into(),
    }
}

/// The error itself and then its causes, outermost first.
fn layers<'a>(
    error: &'a (dyn StdError + 'static),
) -> impl Iterator<Item = &'a (dyn StdError + 'static)> {
    let mut next = Some(error);
    std::iter::from_fn(move || {
        let layer = next?;
        next = layer.source();
        Some(layer)
    })
}

/// The text of the last cause, which is what happened; those around it only say to whom.
pub(super) fn innermost(error: &(dyn StdError + 'static)) -> Cause {
    let text = layers(error).last().map(ToString::to_string);
    text.unwrap_or_default().into()
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::os::unix::process::ExitStatusExt as _;
    use std::process::{ExitStatus, Output};

    use super::*;

    fn text(broken: &Broken) -> String {
        match broken {
            Broken::Credentials(cause) => format!("credentials: {cause}"),
            Broken::Connecting(cause) => format!("connecting: {cause}"),
            Broken::Connected(cause) => format!("connected: {cause}"),
        }
    }

    #[track_caller]
    fn check(error: impl StdError + Send + Sync + 'static, want: &str) {
        assert_eq!(
            text(&Broken::of(&kube::Error::Service(Box::new(error)))),
            want
        );
    }

    #[test]
    fn breaks_are_told_apart() {
        check(
            io::Error::from(io::ErrorKind::ConnectionReset),
            "connected: connection reset",
        );
        check(Elapsed::new(), "connecting: no connection within 5s");
        check(
            AuthError::MissingCommand,
            "credentials: command must be specified to use exec authentication plugin",
        );
    }

    #[test]
    fn a_plugin_never_repeats_its_output() {
        let failed = |stderr: &str| AuthError::AuthExecRun {
            cmd: "SECRET=1 get-token".to_owned(),
            out: Box::new(Output {
                status: ExitStatus::from_raw(256),
                stdout: b"SECRET".to_vec(),
                stderr: stderr.as_bytes().to_vec(),
            }),
        };
        check(
            failed("warning: old\nplease log in\n"),
            "credentials: the credential plugin failed (exit status: 1): please log in",
        );
        check(
            failed(""),
            "credentials: the credential plugin failed (exit status: 1)",
        );
    }
}
