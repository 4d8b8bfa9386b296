//! Roles: AssumeRole with credentials, AssumeRoleWithWebIdentity with a token.

use std::path::Path;

use aws::sigv4::encode_query;
use bytes::Bytes;
use http::{Method, header};
use jiff::Timestamp;

use super::super::call::{Ask, at_most, whole};
use super::super::credentials::Credentials;
use super::super::places::{Place, Service};
use super::super::verdict::{self, Doing};
use super::super::{profiles, xml};
use super::{Chain, Fault, Role, Secret, broken};

/// Far above any answer of STS.
const ANSWER_BYTES: usize = 256 * 1024;

impl Chain {
    /// AssumeRole.
    pub(super) async fn assume(
        &self,
        base: &Credentials,
        role: &Role,
    ) -> Result<Credentials, Fault> {
        let mut form = form("AssumeRole", role);
        if let Some(id) = &role.external_id {
            form.push_str(&format!("&ExternalId={}", encode_query(id.expose())));
        }
        let besides = format!(
            " (they are from: {}), and name them in the role's trust policy{}",
            base.from,
            if role.external_id.is_some() { ", with this external id" } else { "" }
        );
        self.ask("AssumeRole", "sts:AssumeRole", role, form, besides, Some(base)).await
    }

    /// AssumeRoleWithWebIdentity; the token is read anew each time, since somebody renews it.
    pub(super) async fn web_identity(
        &self,
        file: &Path,
        role: &Role,
    ) -> Result<Credentials, Fault> {
        let token = profiles::read(file).map_err(|error| {
            let what = format!("{}: {error}", file.display());
            broken("web identity", &what, "check AWS_WEB_IDENTITY_TOKEN_FILE")
        })?;
        let mut form = form("AssumeRoleWithWebIdentity", role);
        form.push_str(&format!("&WebIdentityToken={}", encode_query(token.trim())));
        let name = "AssumeRoleWithWebIdentity";
        let besides = ", and name the provider of the token in the role's trust policy".to_owned();
        self.ask(name, "sts:AssumeRoleWithWebIdentity", role, form, besides, None).await
    }

    async fn ask(
        &self,
        name: &str,
        action: &'static str,
        role: &Role,
        form: String,
        besides: String,
        base: Option<&Credentials>,
    ) -> Result<Credentials, Fault> {
        let region = self.region.as_deref().unwrap_or("us-east-1");
        let place = match (&self.region, self.places.configured(Service::Sts)) {
            // The one global endpoint, where no region is known.
            (None, None) => Place { url: "https://sts.amazonaws.com".to_owned(), of_aws: true },
            _ => self.places.place(Service::Sts, region),
        };
        let ask = Ask {
            service: Service::Sts,
            region: region.to_owned(),
            base: place.url,
            method: Method::POST,
            path: "/".to_owned(),
            query: String::new(),
            headers: vec![(header::CONTENT_TYPE, "application/x-www-form-urlencoded".to_owned())],
            body: Bytes::from(form),
            limits: at_most(self.client.request_timeout),
            doing: Doing {
                text: format!("{name} {}", role.arn),
                action,
                resource: role.arn.clone(),
                besides,
            },
        };
        let incoming = self.caller.send(&ask, base).await.map_err(|failed| failed.fault)?;
        let answer = whole(&ask, incoming, ANSWER_BYTES).await.map_err(|failed| failed.fault)?;
        let read = xml::parse(&answer.body).and_then(|root| credentials(&root, role));
        read.ok_or_else(|| verdict::not_aws(&ask.doing, &answer))
    }
}

fn form(action: &str, role: &Role) -> String {
    let mut form = format!(
        "Action={action}&Version=2011-06-15&RoleArn={}&RoleSessionName={}",
        encode_query(&role.arn),
        encode_query(&role.session)
    );
    if let Some(seconds) = role.seconds {
        form.push_str(&format!("&DurationSeconds={seconds}"));
    }
    form
}

fn credentials(root: &xml::Element, role: &Role) -> Option<Credentials> {
    let found = root.find("Credentials")?;
    let text = |name: &str| found.text_of(name).map(str::trim).filter(|text| !text.is_empty());
    Some(Credentials {
        id: text("AccessKeyId")?.to_owned(),
        secret: Secret::new(text("SecretAccessKey")?),
        token: text("SessionToken").map(Secret::new),
        expires: Some(text("Expiration")?.parse::<Timestamp>().ok()?),
        from: format!("role {}", role.arn),
    })
}
