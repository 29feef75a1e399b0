//! Files of values at http and https addresses.
//!
//! An address comes in, the text behind it goes out. What is sent says nothing about the user: no
//! credentials, no cookies, no referrer. Time, size and redirects have limits.

use std::time::Duration;

use reqwest::redirect::{Attempt, Policy};
use reqwest::{Client, Response, Url};

use super::{Error, MAX_VALUES};

/// How long connecting may take.
const CONNECT: Duration = Duration::from_secs(10);
/// How long everything together may take.
const TOTAL: Duration = Duration::from_mins(1);
/// How many redirects are followed.
const MAX_REDIRECTS: usize = 5;
const AGENT: &str = concat!("pintle/", env!("CARGO_PKG_VERSION"));

/// Tells whether `file` is an address that [`fetch_values`] can fetch.
pub fn is_address(file: &str) -> bool {
    let scheme = file.split_once("://").map(|(scheme, _)| scheme);
    scheme.is_some_and(|s| s.eq_ignore_ascii_case("http") || s.eq_ignore_ascii_case("https"))
}

/// An address as it may be shown: without what can hold a password or token. Anything else, such as
/// the path of a file, stays as it is.
pub fn shown(address: &str) -> String {
    if !address.contains("://") {
        return address.to_owned();
    }
    let Ok(mut url) = Url::parse(address) else {
        return address
            .split(['?', '#'])
            .next()
            .unwrap_or_default()
            .to_owned();
    };
    url.set_query(None);
    url.set_fragment(None);
    // These fail only for addresses that have no room for them.
    let _ = url.set_username("");
    let _ = url.set_password(None);
    url.into()
}

/// Fetches a file of values, up to 16 MiB, within a minute.
///
/// At most five redirects are followed, never from https to http.
///
/// # Errors
/// If the address is wrong or has credentials in it, if it does not answer with a file in time, or
/// if that is too large or not text.
pub async fn fetch_values(address: &str) -> Result<String, Error> {
    let fail = |cause: Box<dyn std::error::Error + Send + Sync>| Error::Fetch {
        address: shown(address),
        cause,
    };
    let url = Url::parse(address).map_err(|error| fail(error.into()))?;
    refuse(&url).map_err(|problem| fail(problem.into()))?;
    let broken = |error: reqwest::Error| fail(innermost(&error.without_url()).into());
    let response = client().map_err(broken)?.get(url).send().await;
    let response = response.map_err(broken)?;
    if !response.status().is_success() {
        return Err(fail(
            format!("the server says {}", response.status()).into(),
        ));
    }
    let data = read(response).await.map_err(broken)?;
    let data = data.ok_or_else(|| Error::TooLarge {
        path: shown(address),
        limit: MAX_VALUES >> 20,
    })?;
    String::from_utf8(data).map_err(|_| Error::NotText {
        path: shown(address),
    })
}

fn client() -> reqwest::Result<Client> {
    Client::builder()
        .user_agent(AGENT)
        .referer(false)
        .redirect(Policy::custom(follow))
        .connect_timeout(CONNECT)
        .timeout(TOTAL)
        .build()
}

fn follow(attempt: Attempt<'_>) -> reqwest::redirect::Action {
    let hops = attempt.previous().len();
    match redirect(attempt.previous().last(), attempt.url(), hops) {
        Ok(()) => attempt.follow(),
        Err(problem) => attempt.error(problem),
    }
}

/// Says whether a redirect to `next` may be followed as number `hops`.
fn redirect(from: Option<&Url>, next: &Url, hops: usize) -> Result<(), &'static str> {
    if hops > MAX_REDIRECTS {
        return Err("it redirects more than 5 times");
    }
    if from.is_some_and(|from| from.scheme() == "https") && next.scheme() != "https" {
        return Err("it redirects from https to http");
    }
    refuse(next)
}

fn refuse(url: &Url) -> Result<(), &'static str> {
    if url.username().is_empty() && url.password().is_none() {
        Ok(())
    } else {
        Err("addresses with a user or password are not fetched; \
             fetch the file yourself and give it with -f -")
    }
}

/// Reads to the end; `None` if there is too much.
async fn read(mut response: Response) -> reqwest::Result<Option<Vec<u8>>> {
    let mut data = Vec::new();
    while let Some(chunk) = response.chunk().await? {
        if data.len() + chunk.len() > MAX_VALUES {
            return Ok(None);
        }
        data.extend_from_slice(&chunk);
    }
    Ok(Some(data))
}

/// The cause that says most: the last one, without the names of the layers above it.
fn innermost(error: &reqwest::Error) -> String {
    let mut cause: &dyn std::error::Error = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    cause.to_string()
}

#[cfg(test)]
mod tests;
