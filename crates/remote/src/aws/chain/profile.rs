//! From a profile of the shared files to a source.
//!
//! Always: a chain of `source_profile` ends; what would need a person (a code of MFA) is refused by
//! name.

use super::super::credentials::Credentials;
use super::super::profiles::at_home;
use super::{Fault, Profiles, Role, SESSION_NAME, Secret, Source, Variables};
use super::{broken, environment, instance, metadata, sso};

/// The source a profile names; `None` when it names none (it may be there for its region alone).
pub(super) fn resolve(
    name: &str,
    variables: &Variables,
    profiles: &Profiles,
) -> Result<Option<Source>, Fault> {
    Walk { variables, profiles, seen: Vec::new() }.source(name)
}

struct Walk<'a> {
    variables: &'a Variables,
    profiles: &'a Profiles,
    seen: Vec<String>,
}

impl Walk<'_> {
    fn value(&self, name: &str, key: &str) -> Option<&str> {
        self.profiles.value(name, key)
    }

    fn source(&mut self, name: &str) -> Result<Option<Source>, Fault> {
        if !self.profiles.has(name) {
            let what = format!("there is no such profile in {}", self.profiles.places());
            return Err(wrong(name, &what, "write it, or name another one"));
        }
        if self.seen.iter().any(|seen| seen == name) {
            let way = self.seen.join(" -> ");
            return Err(wrong(
                name,
                &format!("source_profile goes in a circle: {way}"),
                "break it",
            ));
        }
        self.seen.push(name.to_owned());
        if let Some(arn) = self.value(name, "role_arn").map(str::to_owned) {
            return self.role(name, &arn).map(Some);
        }
        if let Some(session) = sso::Session::of(name, self.variables, self.profiles)? {
            return Ok(Some(Source::Sso(session)));
        }
        if let Some(keys) = self.keys(name)? {
            return Ok(Some(keys));
        }
        let command = self.value(name, "credential_process");
        Ok(command.map(|command| Source::Process { command: command.to_owned() }))
    }

    fn keys(&self, name: &str) -> Result<Option<Source>, Fault> {
        let id = self.value(name, "aws_access_key_id");
        let secret = self.value(name, "aws_secret_access_key");
        match (id, secret) {
            (Some(id), Some(secret)) => Ok(Some(Source::Given(Credentials {
                id: id.to_owned(),
                secret: Secret::new(secret),
                token: self.value(name, "aws_session_token").map(Secret::new),
                expires: None,
                from: format!("profile '{name}'"),
            }))),
            (None, None) => Ok(None),
            _ => Err(wrong(
                name,
                "it has only one of aws_access_key_id and aws_secret_access_key",
                "write both",
            )),
        }
    }

    fn role(&mut self, name: &str, arn: &str) -> Result<Source, Fault> {
        if self.value(name, "mfa_serial").is_some() {
            return Err(wrong(
                name,
                "it has mfa_serial, and nobody is here to type a code",
                "use a role that does not ask for one",
            ));
        }
        let seconds = self.value(name, "duration_seconds").map(str::parse::<u32>).transpose();
        let seconds =
            seconds.map_err(|_| wrong(name, "duration_seconds is no number", "write a number"))?;
        let session = self.value(name, "role_session_name").unwrap_or(SESSION_NAME);
        let role = Role {
            arn: arn.to_owned(),
            external_id: self.value(name, "external_id").map(Secret::new),
            session: session.to_owned(),
            seconds,
        };
        if let Some(file) = self.value(name, "web_identity_token_file") {
            return Ok(Source::WebIdentity { file: at_home(file, self.variables), role });
        }
        let base = match (self.value(name, "source_profile"), self.value(name, "credential_source"))
        {
            // A profile may name itself: then its own keys assume its role.
            (Some(source), None) if source == name => self.keys(name)?,
            (Some(source), None) => {
                let source = source.to_owned();
                self.source(&source)?
            }
            (None, Some(word)) => self.credential_source(name, word)?,
            (Some(_), Some(_)) => {
                let what = "it has both source_profile and credential_source";
                return Err(wrong(name, what, "keep one"));
            }
            (None, None) => {
                let what = "it has role_arn, and neither source_profile nor credential_source";
                return Err(wrong(name, what, "say with whose credentials the role is assumed"));
            }
        };
        let base = base.ok_or_else(|| {
            wrong(name, "its source_profile holds no credentials", "give that one keys or a role")
        })?;
        Ok(Source::Assume { base: Box::new(base), role })
    }

    fn credential_source(&self, name: &str, word: &str) -> Result<Option<Source>, Fault> {
        let variables = self.variables;
        match word {
            "Environment" => Ok(environment(variables)?.map(Source::Given)),
            "EcsContainer" => Ok(metadata::Container::of(variables)?.map(Source::Container)),
            "Ec2InstanceMetadata" => Ok(Some(instance(variables, Vec::new()))),
            _ => Err(wrong(
                name,
                "credential_source is none of Environment, EcsContainer, Ec2InstanceMetadata",
                "write one of them",
            )),
        }
    }
}

pub(super) fn wrong(name: &str, what: &str, remedy: &str) -> Fault {
    broken(&format!("profile '{name}'"), what, remedy)
}
