//! The fields that several kinds have.

use std::collections::BTreeSet;
use std::time::Duration;

use super::super::Fault;
use super::super::fields::{Field, Fields, Read};
use super::super::spec::{Algorithm, Leaf, Subject, Usage};
use super::super::syntax::{self, MAX_DURATION};

pub(super) const YEAR: Duration = Duration::from_hours(365 * 24);
const MONTH: Duration = Duration::from_hours(30 * 24);
/// Shorter lives are refused: pods would roll all the time.
const MIN_DURATION: Duration = Duration::from_hours(1);
/// The longest CN and O (RFC 5280 appendix A.1).
const MAX_NAME: usize = 64;

pub(super) fn leaf(fields: &Fields<'_>, usages: BTreeSet<Usage>) -> Read<Leaf> {
    let duration = duration(fields)?.unwrap_or(YEAR);
    let organizations = list(fields, "organizations")?;
    Ok(Leaf {
        issuer: fields.required("issuer")?.text()?.to_owned(),
        subject: Subject {
            common_name: name(&fields.required("commonName")?)?,
            organizations: organizations
                .iter()
                .map(name)
                .collect::<Read<BTreeSet<_>>>()?,
        },
        usages,
        dns_names: BTreeSet::new(),
        ip_addresses: BTreeSet::new(),
        duration,
        renew_before: renew_before(fields, duration)?,
        algorithm: algorithm(fields)?,
    })
}

/// A common name or organization.
pub(super) fn name(field: &Field<'_>) -> Read<String> {
    field.text_where(
        |name| name.chars().count() <= MAX_NAME && !name.chars().any(char::is_control),
        "it has to be of at most 64 characters, none of them a control character",
    )
}

pub(super) fn usages(field: &Field<'_>) -> Read<BTreeSet<Usage>> {
    let usages = field
        .list()?
        .map(|usage| usage.choice(&Usage::ALL))
        .collect::<Read<BTreeSet<_>>>()?;
    if usages.is_empty() {
        return field.refuse("it must not be empty");
    }
    Ok(with_key_usages(usages))
}

/// Adds the key usages that kubeadm gives its certificates where none is named.
pub(super) fn with_key_usages(mut usages: BTreeSet<Usage>) -> BTreeSet<Usage> {
    if usages.iter().all(|usage| usage.is_extended()) {
        usages.extend([Usage::DigitalSignature, Usage::KeyEncipherment]);
    }
    usages
}

pub(super) fn duration(fields: &Fields<'_>) -> Read<Option<Duration>> {
    let Some(field) = fields.optional("duration") else {
        return Ok(None);
    };
    let read = time(&field)?;
    if (MIN_DURATION..=MAX_DURATION).contains(&read) {
        Ok(Some(read))
    } else {
        field.refuse("it has to be from 1h to 100y")
    }
}

fn renew_before(fields: &Fields<'_>, duration: Duration) -> Read<Duration> {
    let Some(field) = fields.optional("renewBefore") else {
        return Ok(MONTH.min(duration / 3));
    };
    let read = time(&field)?;
    if read < duration {
        Ok(read)
    } else {
        field.refuse("it has to be less than the duration")
    }
}

fn time(field: &Field<'_>) -> Read<Duration> {
    match syntax::duration(field.text()?) {
        Some(read) => Ok(read),
        None => field.refuse("it has to be numbers with units y, w, d, h, m or s, such as 90d"),
    }
}

pub(super) fn algorithm(fields: &Fields<'_>) -> Read<Algorithm> {
    match fields.optional("algorithm") {
        None => Ok(Algorithm::EcdsaP256),
        Some(field) if field.text()?.starts_with("RSA") => field.refuse(
            "RSA keys cannot be made; take ECDSA-P256, which every Kubernetes component reads",
        ),
        Some(field) => field.choice(&Algorithm::ALL),
    }
}

/// The items of an optional list.
pub(super) fn list<'a>(fields: &Fields<'a>, name: &str) -> Read<Vec<Field<'a>>> {
    match fields.optional(name) {
        Some(field) => Ok(field.list()?.collect()),
        None => Ok(vec![]),
    }
}

/// The data keys that `keys` gives to each of `names`, all different.
pub(super) fn key_names<const N: usize>(
    fields: &Fields<'_>,
    names: [&'static str; N],
    defaults: [&str; N],
) -> Read<[String; N]> {
    let mut keys = defaults.map(str::to_owned);
    let Some(field) = fields.optional("keys") else {
        return Ok(keys);
    };
    let given = field.map_of(&names)?;
    for (key, name) in keys.iter_mut().zip(names) {
        if let Some(field) = given.optional(name) {
            *key = field.text_where(
                syntax::is_data_key,
                "it has to be letters, digits, '-', '_' and '.'",
            )?;
        }
    }
    for (index, key) in keys.iter().enumerate() {
        if keys[..index].contains(key) {
            let field = given.optional(names[index]).unwrap_or(field);
            return field.fail(Fault::Value {
                value: key.clone(),
                problem: "two data keys have the same name".to_owned(),
            });
        }
    }
    Ok(keys)
}
