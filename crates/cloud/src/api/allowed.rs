//! What a caller may: the policy of its credential, asked as IAM would be.

use aws::api::{Call, Fault, Service, Value};
use aws::iam::Verdict;

use super::{Caller, Context};

impl Context {
    /// Refuses what the caller's policy does not allow. Without a policy everything is allowed.
    pub(super) fn allowed(
        &self,
        caller: &Caller,
        call: &Call<'_>,
        input: &Value<'_>,
    ) -> Result<(), Fault> {
        let mut credentials = self.config.credentials.iter();
        let credential = credentials.find(|one| one.access_key_id == caller.access_key_id);
        let Some(policy) = credential.and_then(|credential| credential.policy.as_ref()) else {
            return Ok(());
        };
        // Whoever is known may ask who it is; no policy can take that away.
        if call.service == Service::Sts {
            return Ok(());
        }
        let action = format!("{}:{}", call.service.iam_name(), call.operation);
        for resource in self.resources(caller, call, input) {
            let because = match policy.judge(&action, &resource) {
                Verdict::Allowed => continue,
                Verdict::Denied => "with an explicit deny in an identity-based policy".to_owned(),
                Verdict::NotAllowed => {
                    format!("because no identity-based policy allows the {action} action")
                }
            };
            let arn = &caller.arn;
            let text = format!(
                "User: {arn} is not authorized to perform: {action} on resource: {resource} {because}"
            );
            return Err(Fault::common("AccessDeniedException", "AccessDenied", 403, text));
        }
        Ok(())
    }

    /// The ARNs a call is about; `*` where the operation has none.
    fn resources(&self, caller: &Caller, call: &Call<'_>, input: &Value<'_>) -> Vec<String> {
        let (region, account) = (&self.config.region, &caller.account);
        let text = |name: &str| input.get(name).and_then(Value::as_text);
        let names: Vec<&str> = match call.service {
            Service::Firehose => text("DeliveryStreamName").into_iter().collect(),
            _ if call.operation.contains("MetricStream") => {
                let listed = input.list_of("Names").unwrap_or_default().iter();
                text("Name").into_iter().chain(listed.filter_map(Value::as_text)).collect()
            }
            _ => Vec::new(),
        };
        if let Some(arn) = text("ResourceARN") {
            return vec![arn.to_owned()];
        }
        if names.is_empty() {
            return vec!["*".to_owned()];
        }
        let kind = match call.service {
            Service::Firehose => "deliverystream",
            _ => "metric-stream",
        };
        let service = call.service.iam_name();
        let arn = |name: &str| aws::arn::of(service, region, account, &format!("{kind}/{name}"));
        names.into_iter().map(arn).collect()
    }
}
