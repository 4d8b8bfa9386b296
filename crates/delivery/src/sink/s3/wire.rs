//! The sending half: one put, one verdict.

use remote::aws::s3::{From, Put, S3};
use remote::aws::{Fault, Identity, IdentityConfig, Kind};
use tokio::sync::OnceCell;

use super::verdict::verdict_of;
use super::{Config, Named, Naming, message_of};
use crate::sink::{Label, Payload};
use crate::{Verdict, Why};

/// The sending half.
pub struct Wire {
    identity: IdentityConfig,
    /// Made at the first request: credentials that are not there yet are a matter of retries.
    client: OnceCell<S3>,
    bucket: String,
    naming: Naming,
    put: Put,
}

impl Wire {
    /// A wire for these settings; the error names what is wrong with them.
    pub(crate) fn new(config: &Config) -> Result<Wire, String> {
        config.check()?;
        Ok(Wire {
            identity: config.identity.clone(),
            client: OnceCell::new(),
            bucket: config.bucket.clone(),
            naming: config.naming()?,
            put: Put {
                content_encoding: config.compression.content_encoding(),
                kms_key_id: config.kms_key_id.clone(),
            },
        })
    }

    /// Asks by this client.
    #[cfg(test)]
    pub(super) fn with_client(config: &Config, client: S3) -> Wire {
        let wire = Wire::new(config).unwrap();
        assert!(wire.client.set(client).is_ok(), "it is new");
        wire
    }

    async fn client(&self) -> Result<&S3, Fault> {
        let load = || async { Identity::load(self.identity.clone()).await.map(S3::new) };
        self.client.get_or_try_init(load).await
    }

    /// One attempt.
    pub(crate) async fn send(&self, payload: &Payload) -> Verdict {
        let put = async {
            let key = self.key(&payload.label);
            self.client().await?.put(&self.bucket, &key, payload.body.clone(), &self.put).await
        };
        match put.await {
            Ok(()) => Verdict::Delivered,
            Err(fault) => verdict_of(&fault),
        }
    }

    fn key(&self, label: &Label) -> String {
        let (sequence, ordinal) = (label.from.sequence.to_string(), label.from.ordinal.to_string());
        self.naming.key(&Named {
            stream: &label.stream,
            instant_ms: label.oldest_ms,
            error_output_type: "",
            place: &[&label.origin, &label.topic, &sequence, &ordinal],
        })
    }

    /// Lists the beginning of the prefix, which changes nothing.
    pub(crate) async fn probe(&self) -> Verdict {
        let list = async {
            let prefix = self.naming.prefix.fixed();
            self.client().await?.list(&self.bucket, prefix, From::default()).await
        };
        let fault = match list.await {
            Ok(_) => return Verdict::Delivered,
            Err(fault) => fault,
        };
        if fault.kind != Kind::Denied {
            return verdict_of(&fault);
        }
        // Not the whole truth, and said so: the permission to put cannot be tried without putting.
        let message = format!(
            "{}; the probe lists the bucket (s3:ListBucket), delivery itself needs s3:PutObject alone",
            message_of(&fault)
        );
        let why = Why { code: super::code_of(&fault), message };
        Verdict::Later { after: None, loud: true, why }
    }

    /// Type and place.
    pub(crate) fn describe(&self) -> String {
        format!("s3 s3://{}/{}", self.bucket, self.naming.prefix.fixed())
    }
}
