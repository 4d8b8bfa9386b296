//! Who calls: signatures verified, or the one account of unsigned calls.

use aws::api::{Call, Fault};
use aws::sigv4::verify::{self, Presented, Refusal};

use super::{Caller, Context, Credential, Incoming};

impl Context {
    /// The caller, or what AWS tells somebody it does not believe.
    pub(super) fn caller(&self, incoming: &Incoming<'_>, call: &Call<'_>) -> Result<Caller, Fault> {
        let signed = verify::Incoming {
            method: incoming.method,
            path: incoming.path,
            query: incoming.query,
            headers: incoming.headers,
            body: incoming.body,
        };
        let presented = match (Presented::read(&signed), &self.config.unsigned) {
            (Ok(presented), _) => presented,
            (Err(Refusal::Missing), Some(account)) => {
                return Ok(self.known_as(account, "", "unsigned"));
            }
            (Err(refusal), _) => return Err(fault(refusal)),
        };
        let known = self.config.credentials.iter();
        let credential = known
            .clone()
            .find(|credential| credential.access_key_id == presented.access_key_id)
            .filter(|credential| token_fits(credential, presented.session_token.as_deref()))
            .ok_or_else(unrecognized)?;
        let now = (self.clock)().div_euclid(1000);
        let place = (self.config.region.as_str(), call.service.signing_name());
        presented
            .verify(&signed, &credential.secret_access_key, &self.keys, now, place)
            .map_err(fault)?;
        let id = &credential.access_key_id;
        Ok(self.known_as(&credential.account_id, id, id))
    }

    fn known_as(&self, account: &str, access_key_id: &str, user: &str) -> Caller {
        let partition = aws::arn::partition(&self.config.region).name;
        Caller {
            account: account.to_owned(),
            access_key_id: access_key_id.to_owned(),
            arn: format!("arn:{partition}:iam::{account}:user/{user}"),
        }
    }
}

/// A token that is not ours is refused, and so is its lack where one is set.
fn token_fits(credential: &Credential, presented: Option<&str>) -> bool {
    match (&credential.session_token, presented) {
        (None, None) => true,
        (Some(token), Some(presented)) => verify::same_text(token, presented),
        _ => false,
    }
}

fn unrecognized() -> Fault {
    Fault::common(
        "UnrecognizedClientException",
        "InvalidClientTokenId",
        403,
        "The security token included in the request is invalid.",
    )
}

fn fault(refusal: Refusal) -> Fault {
    let text = refusal.to_string();
    match refusal {
        Refusal::Missing => Fault::common(
            "MissingAuthenticationTokenException",
            "MissingAuthenticationToken",
            403,
            text,
        ),
        Refusal::Incomplete(_) => {
            Fault::common("IncompleteSignatureException", "IncompleteSignature", 400, text)
        }
        Refusal::Clock(_) | Refusal::Scope(_) | Refusal::Mismatch => {
            Fault::common("InvalidSignatureException", "SignatureDoesNotMatch", 403, text)
        }
    }
}
