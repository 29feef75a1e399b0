//! The specs of the kinds.

use std::collections::BTreeMap;
use std::net::IpAddr;

use super::super::fields::{Field, Fields, Read};
use super::super::spec::{
    Algorithm, Certificate, CertificateAuthority, CertificateKeys, Endpoint, KeyPair, KeyPairKeys,
    Kubeconfig, PairKeys, Random, RandomEncoding, RandomSecret, Server, Usage,
};
use super::super::syntax;
use super::parts::{
    YEAR, algorithm, duration, key_names, leaf, list, name, usages, with_key_usages,
};

/// How many random bytes or characters there can be.
const SIZES: std::ops::RangeInclusive<usize> = 8..=1024;
const DEFAULT_SIZE: usize = 32;

pub(super) fn authority(field: &Field<'_>) -> Read<CertificateAuthority> {
    let fields = field.map_of(&["commonName", "duration", "algorithm", "keys"])?;
    let [certificate, key] = key_names(&fields, ["certificate", "key"], ["tls.crt", "tls.key"])?;
    Ok(CertificateAuthority {
        common_name: name(&fields.required("commonName")?)?,
        duration: duration(&fields)?.unwrap_or(10 * YEAR),
        algorithm: algorithm(&fields)?,
        keys: PairKeys { certificate, key },
    })
}

pub(super) fn certificate(field: &Field<'_>) -> Read<Certificate> {
    let fields = field.map_of(&[
        "issuer",
        "commonName",
        "organizations",
        "usages",
        "dnsNames",
        "ipAddresses",
        "fromServices",
        "duration",
        "renewBefore",
        "algorithm",
        "keys",
    ])?;
    let usages = usages(&fields.required("usages")?)?;
    let mut leaf = leaf(&fields, usages)?;
    for name in list(&fields, "dnsNames")? {
        leaf.dns_names.insert(name.text_where(
            syntax::is_dns_name,
            "it has to be a DNS name in lower case, '*' only as its first label; addresses belong \
             to ipAddresses",
        )?);
    }
    for address in list(&fields, "ipAddresses")? {
        leaf.ip_addresses.insert(ip(&address)?);
    }
    let services = list(&fields, "fromServices")?;
    Ok(Certificate {
        leaf,
        from_services: services.iter().map(service).collect::<Read<_>>()?,
        keys: certificate_keys(&fields)?,
    })
}

fn ip(field: &Field<'_>) -> Read<IpAddr> {
    match field.text()?.parse() {
        Ok(parsed) => Ok(parsed),
        Err(_) => field.refuse("it has to be an IPv4 or IPv6 address"),
    }
}

fn service(field: &Field<'_>) -> Read<String> {
    field.text_where(
        syntax::is_subdomain,
        "it has to be the name of a Service of this release",
    )
}

pub(super) fn endpoint(field: &Field<'_>) -> Read<Endpoint> {
    let fields = field.map_of(&["service", "host", "ip"])?;
    let host = fields.optional("host").map(|field| {
        field.text_where(
            syntax::is_host,
            "it has to be a DNS name in lower case; an address belongs to ip",
        )
    });
    Ok(Endpoint {
        service: service(&fields.required("service")?)?,
        host: host.transpose()?,
        ip: fields.optional("ip").map(|field| ip(&field)).transpose()?,
        port: None,
    })
}

fn certificate_keys(fields: &Fields<'_>) -> Read<CertificateKeys> {
    let names = ["certificate", "key", "authority"];
    let [certificate, key, authority] = key_names(fields, names, ["tls.crt", "tls.key", ""])?;
    Ok(CertificateKeys {
        pair: PairKeys { certificate, key },
        authority: Some(authority).filter(|name| !name.is_empty()),
    })
}

pub(super) fn key_pair(field: &Field<'_>) -> Read<KeyPair> {
    let fields = field.map_of(&["algorithm", "keys"])?;
    let algorithm = algorithm(&fields)?;
    if let Some(field) = fields.optional("algorithm")
        && algorithm == Algorithm::Ed25519
    {
        return field.refuse("service account tokens cannot be signed with it");
    }
    let [private, public] = key_names(&fields, ["private", "public"], ["sa.key", "sa.pub"])?;
    Ok(KeyPair {
        algorithm,
        keys: KeyPairKeys { private, public },
    })
}

pub(super) fn kubeconfig(field: &Field<'_>) -> Read<Kubeconfig> {
    let fields = field.map_of(&[
        "issuer",
        "commonName",
        "organizations",
        "duration",
        "renewBefore",
        "algorithm",
        "server",
        "endpoint",
        "clusterName",
        "userName",
        "keys",
    ])?;
    let leaf = leaf(&fields, with_key_usages([Usage::ClientAuth].into()))?;
    let text = |name: &str, default: &str| match fields.optional(name) {
        Some(field) => field.text().map(str::to_owned),
        None => Ok(default.to_owned()),
    };
    let [key] = key_names(&fields, ["kubeconfig"], ["kubeconfig"])?;
    Ok(Kubeconfig {
        server: server(&fields)?,
        cluster_name: text("clusterName", "kubernetes")?,
        user_name: text("userName", &leaf.subject.common_name)?,
        leaf,
        key,
    })
}

fn server(fields: &Fields<'_>) -> Read<Server> {
    let Some(endpoint) = fields.optional("endpoint") else {
        let url = fields.required("server")?.text_where(
            syntax::is_server,
            "it has to be an https URL of a host, with an optional port and path",
        );
        return url.map(Server::Url);
    };
    if let Some(server) = fields.optional("server") {
        return server.refuse("endpoint says where the server is; leave one of them out");
    }
    endpoint
        .text()
        .map(|name| Server::Endpoint(name.to_owned()))
}

pub(super) fn random_secret(field: &Field<'_>) -> Read<RandomSecret> {
    let fields = field.map_of(&["keys"])?;
    let mut keys = BTreeMap::new();
    let field = fields.required("keys")?;
    for (name, field) in field.map()?.entries() {
        if !syntax::is_data_key(name) {
            return field.refuse("its name cannot be a key of a Secret's data");
        }
        keys.insert(name.to_owned(), random(&field)?);
    }
    if keys.is_empty() {
        return field.refuse("it must not be empty");
    }
    Ok(RandomSecret { keys })
}

fn random(field: &Field<'_>) -> Read<Random> {
    let fields = field.map_of(&["encoding", "bytes", "length"])?;
    let encoding = match fields.optional("encoding") {
        Some(field) => field.choice(&RandomEncoding::ALL)?,
        None => RandomEncoding::Base64,
    };
    let (takes, problem) = match encoding {
        RandomEncoding::Base64 | RandomEncoding::Hex => {
            (Some("bytes"), "this encoding has bytes instead")
        }
        RandomEncoding::Alphanumeric => (Some("length"), "this encoding has a length instead"),
        RandomEncoding::Token => (None, "the size of a token is fixed"),
    };
    let mut size = DEFAULT_SIZE;
    for name in ["bytes", "length"] {
        match fields.optional(name) {
            Some(field) if takes == Some(name) => size = field.integer(SIZES)?,
            Some(field) => return field.refuse(problem),
            None => (),
        }
    }
    Ok(Random { encoding, size })
}
